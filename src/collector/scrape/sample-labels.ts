import { type Label, type Labels, METRIC_NAME, toLabels } from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { MutableLabels, Relabel } from './relabel.ts';
import type { SampleLimits } from './scrape-config.ts';

const EXPORTED = 'exported_';

/**
 * The labels a sample is stored with: those exposed, the target's, then relabelled. Where both have a label, the
 * target's counts and the exposed one is kept as `exported_…`; with `honorLabels` the exposed one counts, even empty.
 * Undefined where relabelling dropped it.
 *
 * @throws SCRAPE_FAILED for a name given twice, none for the metric, or more than the limits allow.
 * Source: prometheus/scrape/scrape.go mutateSampleLabels
 */
export function toSampleLabels(
  exposed: readonly Label[],
  target: Labels,
  options: { readonly honorLabels: boolean; readonly relabel: Relabel; readonly limits: SampleLimits },
): Labels | undefined {
  const labels: MutableLabels = new Map(exposed);
  if (labels.size < exposed.length)
    throw failed(`label name ${JSON.stringify(twice(exposed))} is not unique: invalid sample`);
  if (options.honorLabels) {
    for (const [name, value] of target) if (!labels.has(name)) labels.set(name, value);
  } else {
    setOver(labels, target);
  }
  for (const [name, value] of labels) if (value === '') labels.delete(name);
  if (!options.relabel(labels) || labels.size === 0) return undefined;
  const made = toLabels(labels);
  if (!labels.has(METRIC_NAME)) throw failed('missing metric name (__name__ label)');
  if (labels.has('')) throw failed('invalid metric name or label names');
  checkLimits(made, options.limits);
  return made;
}

/** Sets the target's labels; what stood there before moves to a name with `exported_` in front, as often as needed. */
export function setOver(labels: MutableLabels, target: Labels): void {
  const conflicting: Label[] = [];
  for (const [name, value] of target) {
    const existing = labels.get(name) ?? '';
    if (existing !== '') conflicting.push([name, existing]);
    labels.set(name, value);
  }
  for (const [name, value] of conflicting.sort(([a], [b]) => a.length - b.length)) {
    let free = EXPORTED + name;
    while (labels.get(free)) free = EXPORTED + free;
    labels.set(free, value);
  }
}

function checkLimits(labels: Labels, limits: SampleLimits): void {
  const name = () => JSON.stringify(labels.find(([label]) => label === METRIC_NAME)![1]);
  if (limits.labels > 0 && labels.length > limits.labels)
    throw failed(
      `label_limit exceeded (metric: ${name()}, number of labels: ${labels.length}, limit: ${limits.labels})`,
    );
  if (limits.labelNameBytes === 0 && limits.labelValueBytes === 0) return;
  for (const [label, value] of labels) {
    for (const [field, text, limit] of [
      ['label_name_length_limit', label, limits.labelNameBytes],
      ['label_value_length_limit', value, limits.labelValueBytes],
    ] as const) {
      const bytes = Buffer.byteLength(text);
      if (limit > 0 && bytes > limit)
        throw failed(
          `${field} exceeded (metric: ${name()}, label name: ${label}, length: ${bytes}, limit: ${limit})`,
        );
    }
  }
}

function twice(labels: readonly Label[]): string {
  const seen = new Set<string>();
  return labels.find(([name]) => seen.size === seen.add(name).size)?.[0] ?? '';
}

const failed = (message: string) => new CodedError('SCRAPE_FAILED', message);
