import { type Label, type Labels, labelValue, METRIC_NAME, toLabels } from '../../../model/labels.ts';

export const NO_LABELS: Labels = Object.freeze([]);

/** Labels that describe the metric rather than the series; an operation that changes the value's meaning drops them. */
const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);

/** Without the metric's name, type and unit. */
export function dropMetadata(labels: Labels): Labels {
  let left = 0;
  for (let i = 0; i < labels.length; i += 1) if (!isMetadata(labels[i]![0])) left += 1;
  if (left === labels.length) return labels;
  const out = new Array<Label>(left);
  for (let i = 0, to = 0; i < labels.length; i += 1) if (!isMetadata(labels[i]![0])) out[to++] = labels[i]!;
  return out;
}

const UNDERSCORE = 0x5f;
const isMetadata = (name: string) => name.charCodeAt(0) === UNDERSCORE && METADATA.has(name);

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
