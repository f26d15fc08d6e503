import { Notice } from '../notice.tsx';
import type { RequestError } from '../request.ts';
import { mistakeIn } from './mistake.ts';

const TITLES: Readonly<Record<number, string>> = {
  0: 'The query was not answered.',
  400: 'The query cannot be read.',
  422: 'The query cannot be answered.',
  503: 'The query took too long.',
};

/** What is wrong with a query, in words, with the place marked in its text. */
export function QueryError({ expr, error }: { expr: string; error: RequestError }) {
  const { message, place } = mistakeIn(expr, error.message);
  return (
    <Notice tone="bad" title={TITLES[error.code] ?? 'The query failed.'}>
      {message}
      {place && (
        <>
          <small class="mistake-place">
            line {place.line}, column {place.column}
          </small>
          <pre class="mistake">
            {expr.slice(0, place.from)}
            <mark>{expr.slice(place.from, place.to)}</mark>
            {expr.slice(place.to)}
          </pre>
        </>
      )}
    </Notice>
  );
}
