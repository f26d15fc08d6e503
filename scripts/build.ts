// Builds what is published: the server by tsc into build/, the console by vite into build/console.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const run = (file: string, args: readonly string[]) => execFileSync(file, args, { stdio: 'inherit' });

for (const folder of [
  'agent',
  'app',
  'cli',
  'collector',
  'config',
  'http',
  'journal',
  'model',
  'util',
  'wire',
]) {
  rmSync(`build/${folder}`, { recursive: true, force: true });
}
run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json']);
run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel=warn', 'src/console']);
