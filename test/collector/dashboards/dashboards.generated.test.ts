import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { dashboards, toJson } from '../../../src/collector/dashboards/dashboards.ts';
import { INCIDENT_COUNTS } from '../../../src/collector/incidents/incident-counts.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { selectorsOf } from '../../../src/collector/promql/selectors-of.ts';
import type { GrafanaDashboard, GrafanaPanel } from '../../../src/console/dashboards/grafana.ts';
import { interpolate } from '../../../src/console/dashboards/interpolate.ts';
import { signalsNamed } from '../../../src/wire/catalogue/catalogue.ts';
import { findPart, missing } from '../../support/parts.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'podvitals-dashboards-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const committed: readonly GrafanaDashboard[] = Object.keys(dashboards).map((file) =>
  JSON.parse(readFileSync(join(root, 'dashboards', file), 'utf8')),
);

interface Expression {
  readonly panel: string;
  readonly expr: string;
}

/** Every expression with its variables filled in as someone would choose them. */
const expressions: readonly Expression[] = committed.flatMap(({ title, panels, templating }) => {
  const variables = templating?.list ?? [];
  const choices = { namespace: 'shop', workload: '$__all', pod: 'cart-1' };
  const range = { start: 0, end: 3600, step: 15 };
  const ofPanel = (panel: GrafanaPanel) =>
    (panel.targets ?? []).map(({ expr }) => ({
      panel: `${title}: ${panel.title}`,
      expr: interpolate(expr, variables, choices, range),
    }));
  const ofVariables = variables.flatMap(({ name, query }) => {
    const selector = /^label_values\((.+), \w+\)$/.exec(typeof query === 'string' ? query : '')?.[1];
    return selector
      ? [{ panel: `${title}: $${name}`, expr: interpolate(selector, variables, choices, range) }]
      : [];
  });
  return [...panels.flatMap(ofPanel), ...ofVariables];
});

const recorded = new Set(
  readdirSync(join(root, 'rules'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => [
      ...readFileSync(join(root, 'rules', file), 'utf8').matchAll(/record: ["']?([\w:]+)/g),
    ])
    .map((match) => match[1]!),
);

describe('the dashboards', () => {
  it.each(Object.entries(dashboards))('%s is committed as the code makes it', (file, build) => {
    expect(readFileSync(join(root, 'dashboards', file), 'utf8')).toBe(toJson(build()));
  });

  it('are all there are in their folder', () => {
    expect(readdirSync(join(root, 'dashboards')).sort()).toEqual(Object.keys(dashboards).sort());
  });

  it('use only panels and units that the console draws as well', () => {
    const panels = committed.flatMap((dashboard) => dashboard.panels);
    expect([...new Set(panels.map(({ type }) => type))].sort()).toEqual(['stat', 'table', 'timeseries']);
    const units = new Set(panels.map(({ fieldConfig }) => fieldConfig?.defaults?.unit));
    expect([...units].filter(Boolean).sort()).toEqual([
      'Bps',
      'bytes',
      'cores',
      'currencyUSD',
      'percentunit',
      's',
    ]);
  });

  it('say in words what each panel shows', () => {
    for (const { panels } of committed)
      for (const panel of panels) expect(panel.description, panel.title).toMatch(/\.$/);
  });

  it('leave no variable unfilled', () => {
    for (const { panel, expr } of expressions) expect(expr, panel).not.toContain('$');
  });

  it.each(expressions.map(({ panel, expr }) => [panel, expr] as const))(
    '%s reads series that exist',
    (_panel, expr) => {
      for (const { matchers, metricName } of selectorsOf(parseExpr(expr))) {
        const name = metricName!;
        const family = name.replace(/_(bucket|sum|count)$/, '');
        const known =
          name === 'ALERTS' ||
          name === INCIDENT_COUNTS ||
          recorded.has(name) ||
          signalsNamed(name).length + signalsNamed(family).length > 0;
        expect(known, `${name} is neither in the catalogue nor recorded by rules/`).toBe(true);
        for (const { name: label } of matchers) {
          const signals = signalsNamed(name);
          if (label === '__name__' || signals.length === 0) continue;
          const labels = signals.flatMap((signal) => [
            ...signal.labels.map((known) => known.name),
            ...(signal.constants ?? []).map(([known]) => known),
          ]);
          expect([...labels, 'job', 'instance'], `labels of ${name}`).toContain(label);
        }
      }
    },
  );
});

describe.skipIf(missing('promtool'))('promtool', () => {
  it('accepts every expression', () => {
    const file = join(folder, 'expressions.yaml');
    const rules = expressions.map(({ expr }, index) => ({ record: `dashboard:expression:${index}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name: 'dashboards', rules }] }));
    const said = execFileSync(findPart('promtool')!, ['check', 'rules', file], { encoding: 'utf8' });
    expect(said).toContain(`${expressions.length} rules found`);
  });
});
