import { type labelsKey, METRIC_NAME } from '../../model/labels.ts';
import type { Query, QueryValue } from '../../model/query-result.ts';
import { messageOf } from '../../util/coded-error.ts';
import { formatFloat } from '../promql/go-format.ts';
import type { Answers } from '../runbooks/runbooks.ts';

const MOST_QUERIES = 12;
const MOST_ROWS = 8;
const WITHIN_MS = 2000;

/** What the queries of a page answer now: the read-only steps, already run. What takes too long is left to the reader. */
export async function answersTo(
  expressions: readonly string[],
  query: Query,
  nowMs: number,
): Promise<Answers> {
  const late = AbortSignal.timeout(WITHIN_MS);
  const all = expressions.slice(0, MOST_QUERIES).map(async (expression) => {
    const rows = await query(expression, nowMs, late).then(
      ({ value }) => rowsOf(value),
      (error: unknown) => [late.aborted ? 'took too long; run it yourself' : messageOf(error)],
    );
    return [expression, rows] as const;
  });
  return new Map(await Promise.all(all));
}

function rowsOf(value: QueryValue): readonly string[] {
  if (value.type === 'scalar' || value.type === 'string') return [String(value.v)];
  const samples = value.type === 'vector' ? value.samples : [];
  if (samples.length === 0) return ['nothing: no series matches now'];
  const rows = [...samples]
    .sort((a, b) => b.v - a.v)
    .slice(0, MOST_ROWS)
    .map(({ labels, v }) => `${number(v)}  ${seriesOf(labels)}`);
  const more = samples.length - rows.length;
  return more > 0 ? [...rows, `… and ${more} more`] : rows;
}

const number = (v: number) => formatFloat(Number.isInteger(v) ? v : Number(v.toPrecision(4)));

function seriesOf(labels: Parameters<typeof labelsKey>[0]): string {
  const name = labels.find(([label]) => label === METRIC_NAME)?.[1] ?? '';
  const pairs = labels
    .filter(([label]) => label !== METRIC_NAME)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.join(', ')}}`;
}
