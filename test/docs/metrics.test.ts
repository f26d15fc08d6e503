import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS_PAGE, metricsPage } from '../../scripts/generate/metrics-page.ts';
import { catalogue } from '../../src/wire/catalogue/catalogue.ts';

describe('docs/metrics.md', () => {
  const page = readFileSync(METRICS_PAGE, 'utf8');

  it('is what `npm run generate` makes of the catalogue', () => {
    expect(page).toBe(metricsPage());
  });

  it('has every signal by both names, and no name that is not in the catalogue', () => {
    const shown = [...page.matchAll(/^\| `([a-z0-9_]+)` \| (?:gauge|counter|histogram)/gm)].map(
      (match) => match[1]!,
    );
    expect(shown.sort()).toEqual([...new Set(catalogue.map((signal) => signal.name))].sort());
    for (const signal of catalogue)
      expect(page).toContain(`\`${signal.otlp.name}\` ${signal.otlp.instrument}`);
  });
});
