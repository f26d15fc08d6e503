import type { Labels } from '../../../model/labels.ts';
import { formatFloat, quote } from '../../promql/go-format.ts';

/** An alert that fires, or should. */
export interface AlertFacts {
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface SampleFacts {
  readonly labels: Labels;
  readonly value: number;
}

/** The alerts as promtool lists them, behind `exp:` and `got:`. */
export function describeAlerts(alerts: readonly AlertFacts[]): string {
  if (alerts.length === 0) return '[]';
  const items = alerts.map(
    ({ labels, annotations }, index) =>
      `            ${index}:\n              Labels:${describeLabels(labels)}\n              Annotations:${describeLabels(annotations)}`,
  );
  return `[\n${items.join(',\n')}\n            ]`;
}

export function describeSamples(samples: readonly SampleFacts[]): string {
  if (samples.length === 0) return 'nil';
  return samples.map(({ labels, value }) => `${describeLabels(labels)} ${exponential(value)}`).join(', ');
}

function describeLabels(labels: Labels): string {
  const name = (text: string) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : quote(text));
  return `{${labels.map(([label, value]) => `${name(label)}=${quote(value)}`).join(', ')}}`;
}

/** Go's FormatFloat(value, 'E', -1, 64). */
function exponential(value: number): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const sign = Object.is(value, -0) ? '-' : '';
  return `${sign}${mantissa}E${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
