import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Runs one benchmark of `bench/`: `npm run bench -- NAME [options]`. Exit 2 when there is none of that name. */
const folder = join(import.meta.dirname, '..', 'bench');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'));
const name = process.argv[2];
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')}`);
  process.exit(2);
}
process.argv.splice(2, 1);
await import(join(folder, `${name}.ts`));
