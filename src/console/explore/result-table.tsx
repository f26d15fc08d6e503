import { count } from '../format.ts';
import { Notice } from '../notice.tsx';
import type { Answer, TimedValue } from './ask.ts';
import { seriesName } from './series-name.ts';

const MOST_ROWS = 500;
const MOST_VALUES = 60;

/** Samples at one time, values exactly as the API gives them. */
export function ResultTable({ answer }: { answer: Exclude<Answer, { kind: 'series' }> }) {
  if (answer.kind === 'literal') return <p class="literal mono">{answer.value.v}</p>;
  const { rows } = answer;
  if (rows.length === 0) return <Notice title="No series.">Nothing matches the query at this time.</Notice>;
  return (
    <>
      <div class="result-table">
        <table>
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col" class="number">
                Value
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_ROWS).map(({ metric, values }) => (
              <tr key={JSON.stringify(metric)}>
                <td class="mono">{seriesName(metric)}</td>
                <td class="number mono">
                  <Values values={values} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="fineprint">
        {count(rows.length, 'series', 'series')}
        {rows.length > MOST_ROWS && `, of which the first ${MOST_ROWS} are shown`}
      </p>
    </>
  );
}

/** One value, or those of a range with their times, the newest first. */
function Values({ values }: { values: readonly TimedValue[] }) {
  if (values.length === 1) return <>{values[0]!.v}</>;
  const shown = values.slice(-MOST_VALUES).reverse();
  return (
    <>
      {shown.map(({ t, v }) => (
        <span key={t} class="timed">
          {v} <small>@{t}</small>
        </span>
      ))}
      {values.length > shown.length && <small>and {values.length - shown.length} earlier</small>}
    </>
  );
}
