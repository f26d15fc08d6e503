import { decodeLabels, type Labels, walkLabels } from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { StoreLimits } from './limits.ts';

/** The labels, if a series may have them. @throws STORE_LABELS_INVALID */
export function checkLabels(labels: Labels, limits: StoreLimits): Labels {
  const wrong = (what: string) => {
    throw new CodedError('STORE_LABELS_INVALID', `a series with ${what} is refused`, { status: 400 });
  };
  if (labels.length === 0) wrong('no labels');
  if (labels.length > limits.labelsPerSeries)
    wrong(`${labels.length} labels (at most ${limits.labelsPerSeries})`);
  for (const [name, value] of labels) {
    if (name === '') wrong('an empty label name');
    if (isLonger(name, limits.labelNameBytes))
      wrong(`the label name ${JSON.stringify(name.slice(0, 40))}… (at most ${limits.labelNameBytes} bytes)`);
    if (isLonger(value, limits.labelValueBytes))
      wrong(`a value of label ${JSON.stringify(name)} longer than ${limits.labelValueBytes} bytes`);
  }
  return labels;
}

/** The same for the bytes of labels, which are only decoded to say what is wrong with them. */
export function checkKey(key: Uint8Array, limits: StoreLimits): void {
  let count = 0;
  const isWithin = (nameAt: number, nameEnd: number, valueAt: number, valueEnd: number) => {
    count += 1;
    const name = nameEnd - nameAt;
    return name > 0 && name <= limits.labelNameBytes && valueEnd - valueAt <= limits.labelValueBytes;
  };
  const isSound = walkLabels(key, 0, key.length, isWithin) && count > 0 && count <= limits.labelsPerSeries;
  if (!isSound) checkLabels(decodeLabels(key), limits);
}

// A code unit takes at most three bytes: mostly there is no need to count.
const isLonger = (text: string, bytes: number) => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
