import type { Entry, SeriesLine } from '../../../src/collector/promql/series-notation.ts';
import { compareLabels, type Labels, labelsKey } from '../../../src/model/labels.ts';
import type { MatrixSeries, QueryValue, VectorSample } from '../../../src/model/query-result.ts';
import { listOf, type Sample } from '../../../src/model/sample.ts';
import type { EvalCommand, Expected } from './script.ts';

/** What is wrong with an answer; undefined when nothing is. */
export type Complaint = string | undefined;

const show = (labels: Labels) => `{${labels.map(([name, value]) => `${name}="${value}"`).join(', ')}}`;

/** Compares an answer with what the file expects. Floats may differ by a millionth. */
export function compareValue(value: QueryValue, command: EvalCommand): Complaint {
  const { expected } = command;
  switch (value.type) {
    case 'scalar':
      if (expected.kind !== 'scalar') return `got scalar ${value.v}, expected ${expected.kind}`;
      return almostEqual(expected.value, value.v)
        ? undefined
        : `got scalar ${value.v}, expected ${expected.value}`;
    case 'string':
      if (expected.kind === 'string' && expected.value === value.v) return undefined;
      return `got string ${JSON.stringify(value.v)}, expected ${JSON.stringify(expected)}`;
    case 'vector':
      if (expected.kind !== 'series') return `got a vector, expected ${expected.kind}`;
      return compareVector(value.samples, expected.rows, command.directives.has('ordered'));
    case 'matrix':
      return compareMatrix(value.series, expected, command);
  }
}

function compareVector(
  samples: readonly VectorSample[],
  rows: readonly SeriesLine[],
  ordered: boolean,
): Complaint {
  const wanted = new Map(rows.map((row, i) => [labelsKey(row.labels), { row, i }]));
  for (const [i, { labels, v }] of samples.entries()) {
    const found = wanted.get(labelsKey(labels));
    if (found === undefined) return `unexpected ${show(labels)} ${v}`;
    if (ordered && found.i !== i) return `${show(labels)} is at position ${i}, expected at ${found.i}`;
    const entry = found.row.entries[0];
    if (typeof entry !== 'number') return `got ${v} for ${show(labels)}, expected ${entry}`;
    if (!almostEqual(entry, v)) return `got ${v} for ${show(labels)}, expected ${entry}`;
    wanted.delete(labelsKey(labels));
  }
  for (const { row } of wanted.values()) return `missing ${show(row.labels)} ${row.entries[0]}`;
  return undefined;
}

function compareMatrix(series: readonly MatrixSeries[], expected: Expected, command: EvalCommand): Complaint {
  if (expected.kind !== 'series' && expected.kind !== 'range-vector')
    return `got a matrix, expected ${expected.kind}`;
  const { startMs, stepMs } = expected.kind === 'range-vector' ? expected : command.range!;
  for (let i = 1; i < series.length; i += 1) {
    if (compareLabels(series[i - 1]!.labels, series[i]!.labels) > 0)
      return 'series are not in the order of labels';
  }
  const wanted = new Map(expected.rows.map((row) => [labelsKey(row.labels), row]));
  for (const { labels, samples } of series) {
    const row = wanted.get(labelsKey(labels));
    if (row === undefined)
      return `unexpected ${show(labels)} ${listOf(samples)
        .map(({ v }) => v)
        .join(' ')}`;
    wanted.delete(labelsKey(labels));
    const points = row.entries
      .map((entry, i) => ({ entry, t: startMs + i * stepMs }))
      .filter(({ entry }) => entry !== 'gap');
    const complaint = comparePoints(listOf(samples), points);
    if (complaint !== undefined) return `${show(labels)}: ${complaint}`;
  }
  for (const { labels } of wanted.values()) return `missing ${show(labels)}`;
  return undefined;
}

function comparePoints(
  got: readonly Sample[],
  wanted: readonly { readonly entry: Entry; readonly t: number }[],
): Complaint {
  const all = () => `got ${got.map(({ t, v }) => `${v}@${t}`).join(' ')}`;
  if (got.length !== wanted.length) return `${got.length} points, expected ${wanted.length}: ${all()}`;
  for (const [i, { entry, t }] of wanted.entries()) {
    if (got[i]!.t !== t) return `point ${i} is at ${got[i]!.t}, expected at ${t}`;
    if (typeof entry !== 'number') return `point ${i} is a float, expected ${entry}`;
    if (!almostEqual(entry, got[i]!.v)) return `point ${i} is ${got[i]!.v}, expected ${entry}: ${all()}`;
  }
  return undefined;
}

const SMALLEST_NORMAL = 2 ** -1022;
const TOLERANCE = 1e-6;

function almostEqual(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}
