import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseOpenSlo } from '../../src/collector/slo/open-slo.ts';
import { sloRuleFile } from '../../src/collector/slo/slo-rules.ts';

const root = resolve(import.meta.dirname, '../..');

/** Rule files by their path, one for each file of slos/: slos/shop.yaml gives rules/slo-shop.yaml. */
export function sloRuleFiles(): ReadonlyMap<string, string> {
  const files = readdirSync(join(root, 'slos')).filter((file) => file.endsWith('.yaml'));
  return new Map(
    files.map((file) => {
      const source = `slos/${file}`;
      const slos = parseOpenSlo(readFileSync(join(root, source), 'utf8'), source);
      return [join(root, 'rules', `slo-${basename(file)}`), sloRuleFile(slos, source)];
    }),
  );
}

export async function generateSloRules(): Promise<void> {
  for (const [path, text] of sloRuleFiles()) writeFileSync(path, text);
}
