import { RANGES, type Range, rangeCalled } from '../time-range.ts';

export const VIEWS = ['graph', 'table'] as const;
export type View = (typeof VIEWS)[number];

/** What the address of the Explore page asks. */
export interface Question {
  readonly expr: string;
  readonly view: View;
  readonly range: Range;
  /** Seconds; undefined is now. */
  readonly end: number | undefined;
}

/** Parts of a question; what is undefined stands for its default. */
export type Changes = { readonly [Part in keyof Question]?: Question[Part] | undefined };

const LATEST_SECONDS = 8.64e12;

/** Whatever the address holds, a question that can be asked. */
export function questionOf(query: URLSearchParams): Question {
  const end = Number(query.get('end') || Number.NaN);
  return {
    expr: query.get('expr') ?? '',
    view: VIEWS.find((view) => view === query.get('view')) ?? 'graph',
    range: rangeCalled(query.get('range')),
    end: end > 0 && end < LATEST_SECONDS ? Math.floor(end) : undefined,
  };
}

export function exploreAddress({ expr, view, range, end }: Changes): string {
  const query = new URLSearchParams();
  if (expr) query.set('expr', expr);
  if (view) query.set('view', view);
  if (range) query.set('range', range.word);
  if (end !== undefined) query.set('end', String(end));
  return `/explore${query.size > 0 ? `?${query}` : ''}`;
}

const SERIES = /^[A-Za-z_:][A-Za-z0-9_:]*\{.*\}$/s;
const AFTERWARDS_SECONDS = 5 * 60;

/** Where a series that proves something can be looked at, around its time; undefined when `source` is no series. */
export function evidenceAddress(
  { source, at }: { source: string; at: string },
  nowMs: number,
): string | undefined {
  if (!SERIES.test(source)) return undefined;
  const end = Math.floor(Date.parse(at) / 1000) + AFTERWARDS_SECONDS;
  const past = Number.isFinite(end) && end < nowMs / 1000;
  return exploreAddress({ expr: source, range: RANGES[0], end: past ? end : undefined });
}
