import { toLabels } from '../../model/labels.ts';
import type { QueryResult, QueryValue } from '../../model/query-result.ts';
import { columnsOf, type Sample } from '../../model/sample.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';

/** What a server answered, as JSON text in Prometheus' form, with the status of success or of its error. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** A time in seconds, and a value as text. */
type Point = readonly [seconds: number, value: string];

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Left out where there is a native histogram. */
  readonly value?: Point;
  readonly values?: readonly Point[];
}

const CODES: Readonly<Record<string, string>> = {
  bad_data: 'QUERY_PARSE',
  execution: 'QUERY_EXECUTION',
  canceled: 'QUERY_CANCELED',
  timeout: 'QUERY_TIMEOUT',
  unavailable: 'QUERY_UNAVAILABLE',
};

/**
 * The result of a query from the JSON of Prometheus' HTTP API. Native histograms are left out, with a warning.
 *
 * @throws what the server says is wrong as `QUERY_*`; QUERY_UNAVAILABLE when its answer cannot be understood
 */
export function readResult({ status, body }: ApiAnswer): QueryResult {
  try {
    const answer = JSON.parse(body);
    if (answer.status !== 'success') throw errorOf(answer, status);
    const value = resultOf(answer.data.resultType, answer.data.result);
    const warnings: readonly string[] = [...(answer.warnings ?? [])];
    const left = hasHistograms(answer.data.result) ? ['native histograms are left out'] : [];
    return { value, warnings: [...warnings, ...left], infos: [...(answer.infos ?? [])] };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const what = `the server's answer (HTTP ${status}) is not that of a Prometheus: ${messageOf(error)}`;
    throw new CodedError('QUERY_UNAVAILABLE', what, { status: 503, cause: error });
  }
}

function errorOf({ errorType, error }: { errorType?: unknown; error?: unknown }, status: number): CodedError {
  // VictoriaMetrics tells the status as the type.
  const type = status === 422 && !Object.hasOwn(CODES, String(errorType)) ? 'execution' : String(errorType);
  const message = String(error).replace(/^invalid parameter "query": /, '');
  const code = Object.hasOwn(CODES, type)
    ? CODES[type]!
    : status < 500
      ? 'QUERY_EXECUTION'
      : 'QUERY_UNAVAILABLE';
  return new CodedError(code, message, { status: status >= 400 ? status : 503 });
}

function resultOf(type: string, result: unknown): QueryValue {
  switch (type) {
    case 'scalar':
      return { type, ...sampleOf(result as Point) };
    case 'string': {
      const [at, text] = result as Point;
      return { type, t: milliseconds(at), v: String(text) };
    }
    case 'vector': {
      const samples = (result as readonly Series[]).flatMap(({ metric, value }) =>
        value === undefined ? [] : [{ labels: toLabels(metric), ...sampleOf(value) }],
      );
      return { type, samples };
    }
    case 'matrix': {
      const series = (result as readonly Series[]).flatMap(({ metric, values }) =>
        values === undefined ? [] : [{ labels: toLabels(metric), samples: columnsOf(values.map(sampleOf)) }],
      );
      return { type, series };
    }
    default:
      throw new Error(`a result of type ${JSON.stringify(type)}`);
  }
}

function hasHistograms(result: unknown): boolean {
  return (
    Array.isArray(result) && result.some((one) => 'histogram' in Object(one) || 'histograms' in Object(one))
  );
}

function sampleOf([at, text]: Point): Sample {
  return { t: milliseconds(at), v: numberOf(text) };
}

const milliseconds = (seconds: number) => {
  const t = Math.round(seconds * 1000);
  if (!Number.isSafeInteger(t)) throw new Error(`a time of ${JSON.stringify(seconds)}`);
  return t;
};

const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};

function numberOf(text: string): number {
  if (Object.hasOwn(WORDS, text)) return WORDS[text]!;
  const value = text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new Error(`a value of ${JSON.stringify(text)}`);
  return value;
}
