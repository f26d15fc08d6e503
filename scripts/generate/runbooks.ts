import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRunbooks } from '../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../src/collector/runbooks/templates.ts';

const folder = join(import.meta.dirname, '../../runbooks');

/** `runbooks/<Alert>.md` from `runbooks/templates/<Alert>.hbs`, and their index. */
export async function generateRunbooks(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.endsWith('.md')) rmSync(join(folder, file));
  for (const [file, text] of runbookFiles()) writeFileSync(join(folder, file), text);
}

/** The generated files by name. */
export function runbookFiles(): ReadonlyMap<string, string> {
  const runbooks = createRunbooks({ templates: readTemplates() });
  const files = new Map<string, string>();
  for (const name of runbooks.names) {
    const notice = `<!-- Generated from runbooks/templates/${name}.hbs by \`npm run generate\`. -->`;
    files.set(`${name}.md`, `${notice}\n\n${runbooks.page(name)!.markdown}`);
  }
  const index = runbooks.names.map((name) => `- [${name}](${name}.md)`).join('\n');
  files.set(
    'README.md',
    `# Runbooks\n\nOne for each alert in \`rules/\`. A running collector serves them at \`/runbooks/<Alert>\`, with the evidence it has.\n\n${index}\n`,
  );
  return files;
}
