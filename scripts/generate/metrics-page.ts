import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Section, sections } from '../../src/wire/catalogue/catalogue.ts';
import type { Signal } from '../../src/wire/catalogue/signal.ts';

export const METRICS_PAGE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));

const PATHS: Readonly<Record<Signal['path'], string>> = {
  'kube-state-metrics': '/metrics/kube-state-metrics',
  cadvisor: '/metrics/cadvisor',
  kubelet: '/metrics',
};

/** The reference of all signals, made from the catalogue. */
export function metricsPage(): string {
  return `${intro()}\n${sections.map(sectionText).join('\n')}`;
}

const intro = () => `# Metrics

<!-- Generated from src/wire/catalogue by \`npm run generate\`; changes made here are lost. -->

Every signal has two names. In the store, in rules, dashboards and on the agent's paths it has the name Prometheus users
know: kube-state-metrics', cAdvisor's or the kubelet's where one exists, else \`podvitals_…\`. On the wire (OTLP) it has
OpenTelemetry's name where the convention means the same, else \`podvitals.…\`. Both carry the same values and labels:
what arrives by OTLP equals what arrives by scraping.

The agent shows its signals on three paths, and \`job\` in the store is the path's:

| job | path |
| --- | --- |
${Object.entries(PATHS)
  .map(([job, path]) => `| \`${job}\` | \`${path}\` |`)
  .join('\n')}

Scrape them with \`honor_labels: true\`. There are no timestamps on samples. A value that cannot be measured on a host is
absent, never 0. Reasons (\`…_reason\`) exist only while they hold. Labels marked *r* are attributes of the OTLP resource,
the others of the data point; a label with a value has only that one, and does not travel. A pod's own cgroup has series
without \`container\` and \`image\`; the root cgroup, \`id="/"\`, is the node.
`;

function sectionText({ title, signals }: Section): string {
  const families = Map.groupBy(signals, (signal) => signal.name);
  const rows = [...families.values()].map(row);
  return [
    `## ${title}`,
    '',
    '| Name | Type | Labels | OTLP name | Unit | Meaning |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function row(signals: readonly Signal[]): string {
  const first = signals[0]!;
  const cells = [
    `\`${first.name}\``,
    first.type + (first.stability === 'experimental' ? ' (experimental)' : ''),
    labels(signals),
    unique(signals.map(otlp)),
    unique(signals.map((signal) => `\`${signal.unit}\``)),
    first.help + bounds(first),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const unique = (texts: readonly string[]) => [...new Set(texts)].join('<br>');

function labels(signals: readonly Signal[]): string {
  const widest = signals.reduce((a, b) => (b.labels.length > a.labels.length ? b : a));
  const variable = widest.labels.map((label) => `\`${label.name}\`${label.on === 'resource' ? ' *r*' : ''}`);
  const constants = (widest.constants ?? []).map(([name]) => {
    const values = new Set(
      signals.flatMap((signal) => (signal.constants ?? []).filter((it) => it[0] === name).map((it) => it[1])),
    );
    return `\`${name}="${[...values].join('|')}"\``;
  });
  return [...variable, ...constants].join(', ');
}

function otlp({ otlp: { name, instrument, fixed } }: Signal): string {
  const attributes = Object.entries(fixed ?? {}).map(([key, value]) => ` \`${key}=${value}\``);
  return `\`${name}\` ${instrument}${attributes.join('')}`;
}

const bounds = (signal: Signal) => (signal.bounds ? ` Buckets: ${signal.bounds.join(', ')}.` : '');

export async function generateMetricsPage(): Promise<void> {
  mkdirSync(fileURLToPath(new URL('../../docs/', import.meta.url)), { recursive: true });
  writeFileSync(METRICS_PAGE, metricsPage());
}

if (process.argv[1] === import.meta.filename) await generateMetricsPage();
