import { Chart } from '../chart.tsx';
import { bytes, count } from '../format.ts';
import { Notice } from '../notice.tsx';
import { alignTo, timesOf } from '../time-range.ts';
import type { Answer } from './ask.ts';
import { seriesName } from './series-name.ts';

const MOST_LINES = 24;
const HEIGHT = 320;

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 });

/** Short, for axes: `47.2M`; bytes where all that is drawn says in its name that it is. */
function formatFor(names: readonly (string | undefined)[]): (value: number) => string {
  if (names.every((name) => name?.endsWith('_bytes'))) return bytes;
  return (value) => (value !== 0 && Math.abs(value) < 1e-6 ? value.toExponential(2) : compact.format(value));
}

/** Series over time, each with its newest value. */
export function ResultGraph({
  answer: { series, ...range },
}: {
  answer: Extract<Answer, { kind: 'series' }> & { start: number; end: number; step: number };
}) {
  if (series.length === 0) {
    return <Notice title="No series.">Nothing matches the query in this time.</Notice>;
  }
  const times = timesOf(range);
  const shown = series.slice(0, MOST_LINES);
  const format = formatFor(shown.map(({ metric }) => metric.__name__));
  const named = shown.map(({ metric, points }) => ({ name: seriesName(metric), points }));
  return (
    <>
      <div class="graph">
        <Chart
          label={`${count(series.length, 'series', 'series')} over time`}
          times={times}
          lines={named.map(({ name, points }, index) => ({
            name,
            colour: index,
            filled: named.length === 1,
            values: alignTo(times, points),
          }))}
          format={format}
          binary={format === bytes}
          from={range.start}
          to={range.end}
          height={HEIGHT}
        />
      </div>
      <ul class="series">
        {named.map(({ name, points }, index) => (
          <li key={name}>
            <i class={`swatch swatch-${index % 8}`} aria-hidden="true" />
            <code>{name}</code> <b>{format(points.at(-1)![1])}</b>
          </li>
        ))}
      </ul>
      <p class="fineprint">
        {count(series.length, 'series', 'series')}
        {series.length > shown.length && `, of which the first ${shown.length} are drawn`}, a point each{' '}
        {range.step} s; the values are the newest.
      </p>
    </>
  );
}
