import type { Labels } from '../../model/labels.ts';
import type { QueryResult, QueryStats, QueryValue } from '../../model/query-result.ts';
import { createTimeTexts, seconds, writePoint, writePoints } from './points-json.ts';
import { type TextBytes, type WriteText, writeString, writeText } from './text-bytes.ts';

const MOST_ANNOTATIONS = 10;

/** The answer to a query as Prometheus writes it. */
export const resultJson = ({ value, warnings, infos, stats }: QueryResult): WriteText =>
  function* (out) {
    writeText(out, `{"status":"success","data":{"resultType":"${value.type}","result":`);
    yield* writeValue(out, value);
    const cost = stats === undefined ? '' : `,"stats":${JSON.stringify(statsJson(stats))}`;
    writeText(
      out,
      `${cost}}${annotations('warnings', 'warning', warnings)}${annotations('infos', 'info', infos)}}`,
    );
  };

/** What is not told apart here counts as the evaluation itself. */
function statsJson({ queuedMs, evaluationMs, samples, peakSamples }: QueryStats) {
  return {
    timings: {
      evalTotalTime: evaluationMs / 1000,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evaluationMs / 1000,
      execQueueTime: queuedMs / 1000,
      execTotalTime: (queuedMs + evaluationMs) / 1000,
    },
    samples: { totalQueryableSamples: samples, peakSamples },
  };
}

/** Names or values of labels. */
export const textsJson = (texts: readonly string[], warnings: readonly string[]): WriteText =>
  function* (out) {
    writeText(out, '{"status":"success","data":');
    yield* writeList(out, texts, (text) => writeString(out, text));
    writeText(out, `${annotations('warnings', 'warning', warnings)}}`);
  };

/** Label sets as the series API writes them. */
export const seriesJson = (series: readonly Labels[], warnings: readonly string[]): WriteText =>
  function* (out) {
    writeText(out, '{"status":"success","data":');
    yield* writeList(out, series, (labels) => writeLabels(out, labels));
    writeText(out, `${annotations('warnings', 'warning', warnings)}}`);
  };

function annotations(field: string, what: string, messages: readonly string[]): string {
  if (messages.length === 0) return '';
  const told = messages.slice(0, MOST_ANNOTATIONS);
  const omitted = messages.length - told.length;
  if (omitted > 0) told.push(`${omitted} more ${what} annotations omitted`);
  return `,"${field}":${JSON.stringify(told)}`;
}

function* writeValue(out: TextBytes, value: QueryValue): Generator<undefined> {
  switch (value.type) {
    case 'scalar':
      writePoint(out, value.t, value.v);
      return;
    case 'string':
      writeText(out, `[${seconds(value.t)},${JSON.stringify(value.v)}]`);
      return;
    case 'vector':
      yield* writeList(out, value.samples, ({ labels, t, v }) => {
        writeText(out, '{"metric":');
        writeLabels(out, labels);
        writeText(out, ',"value":');
        writePoint(out, t, v);
        writeText(out, '}');
      });
      return;
    case 'matrix': {
      const times = createTimeTexts(value.series);
      let comma = '';
      writeText(out, '[');
      for (const { labels, samples } of value.series) {
        writeText(out, `${comma}{"metric":`);
        writeLabels(out, labels);
        writeText(out, ',"values":');
        yield* writePoints(out, samples, times);
        writeText(out, '}');
        comma = ',';
      }
      writeText(out, ']');
    }
  }
}

function* writeList<T>(out: TextBytes, items: readonly T[], write: (item: T) => void): Generator<undefined> {
  writeText(out, '[');
  for (let i = 0; i < items.length; i += 1) {
    if (i > 0) writeText(out, ',');
    write(items[i]!);
    yield;
  }
  writeText(out, ']');
}

function writeLabels(out: TextBytes, labels: Labels): void {
  writeText(out, '{');
  for (let i = 0; i < labels.length; i += 1) {
    if (i > 0) writeText(out, ',');
    writeString(out, labels[i]![0]);
    writeText(out, ':');
    writeString(out, labels[i]![1]);
  }
  writeText(out, '}');
}
