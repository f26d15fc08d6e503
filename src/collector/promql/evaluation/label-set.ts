import { type Label, type Labels, labelValue, METRIC_NAME, toLabels } from '../../../model/labels.ts';

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

/**
 * Makes strings that are equal for labels equal in all of `names`, or, `without`, in all others but the metric's name.
 */
export function createLabelsKey(names: readonly string[], without: boolean): (labels: Labels) => string {
  if (without) {
    const left = new Set([METRIC_NAME, ...names]);
    return (labels) => {
      let key = '';
      for (const [name, value] of labels)
        if (!left.has(name)) key += `${name.length}:${name}${value.length}:${value}`;
      return key;
    };
  }
  const [first = '', ...others] = names;
  if (names.length === 0) return () => '';
  if (others.length === 0) return (labels) => labelValue(labels, first);
  return (labels) => {
    let key = '';
    for (const name of names) {
      const value = labelValue(labels, name);
      key += `${value.length}:${value}`;
    }
    return key;
  };
}

/** The labels of the group: those named, or all but those named and the metric's name. */
export function groupingLabels(labels: Labels, names: ReadonlySet<string>, without: boolean): Labels {
  if (without) return labels.filter(([name]) => name !== METRIC_NAME && !names.has(name));
  return names.size === 0 ? NO_LABELS : keepLabels(labels, names);
}

/** Labels may have any name that is valid UTF-8 and not empty. */
export const isLabelName = (name: string): boolean => name !== '' && name.isWellFormed();
