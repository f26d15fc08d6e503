import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runbookIndex } from '../../src/collector/runbooks/runbook-index.ts';
import { createRunbooks } from '../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../src/collector/runbooks/templates.ts';

const folder = join(import.meta.dirname, '../../runbooks');

/** `runbooks/<name>.md` from `runbooks/templates/<name>.hbs`, and their index. */
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
  files.set(
    'README.md',
    runbookIndex(runbooks, (name) => `${name}.md`),
  );
  return files;
}
