import { type Label, type Labels, labelsKey, METRIC_NAME, toLabels } from '../../../model/labels.ts';

export const NO_LABELS: Labels = Object.freeze([]);

/** Labels that describe the metric rather than the series; an operation that changes the value's meaning drops them. */
const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);

/** Without the metric's name, type and unit. */
export const dropMetadata = (labels: Labels): Labels =>
  labels.some(([name]) => METADATA.has(name)) ? labels.filter(([name]) => !METADATA.has(name)) : labels;

export const keepLabels = (labels: Labels, names: ReadonlySet<string>): Labels =>
  labels.filter(([name]) => names.has(name));

export const dropLabels = (labels: Labels, names: ReadonlySet<string>): Labels =>
  labels.filter(([name]) => !names.has(name));

/** With label `name` set to `value`; an empty value takes it away. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const others: Label[] = labels.filter((label) => label[0] !== name);
  if (value === '') return others;
  others.push([name, value]);
  return toLabels(others);
}

/** A string equal for labels that fall into one group. */
export function groupingKey(labels: Labels, names: ReadonlySet<string>, without: boolean): string {
  if (!without && names.size === 0) return '';
  return labelsKey(groupingLabels(labels, names, without));
}

/** The labels of the group: those named, or all but those named and the metric's name. */
export function groupingLabels(labels: Labels, names: ReadonlySet<string>, without: boolean): Labels {
  if (without) return labels.filter(([name]) => name !== METRIC_NAME && !names.has(name));
  return names.size === 0 ? NO_LABELS : keepLabels(labels, names);
}

/** Labels may have any name that is valid UTF-8 and not empty. */
export const isLabelName = (name: string): boolean => name !== '' && name.isWellFormed();
