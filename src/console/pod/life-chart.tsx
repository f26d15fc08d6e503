import type { Life } from '../../model/life.ts';
import { Chart, type ChartLine } from '../chart.tsx';
import { bytes, cores } from '../format.ts';

/** The last two minutes of a life, second by second, from the flight recorder. */
export function LifeCharts({ life: { vitals, config, finishedAt } }: { life: Life }) {
  if (vitals.length < 3) {
    return (
      <p class="faint">
        The life was too short for a chart: it left{' '}
        {vitals.length === 1 ? 'one reading' : `${vitals.length} readings`}.
      </p>
    );
  }
  const times = vitals.map(({ at }) => at / 1000);
  const line = (
    name: string,
    colour: number,
    pick: (frame: (typeof vitals)[number]) => number | undefined,
    filled = false,
  ): ChartLine => ({
    name,
    colour,
    filled,
    values: vitals.map((frame) => pick(frame) ?? null),
  });
  const limit = (name: string, value: number | undefined): readonly ChartLine[] =>
    value === undefined ? [] : [{ name, colour: 'limit', values: vitals.map(() => value) }];
  const charts = [
    {
      title: 'Memory',
      format: bytes,
      binary: true,
      lines: [
        line('working set', 0, (frame) => frame.memoryWorkingSetBytes, true),
        ...limit('limit', config.memoryLimitBytes),
      ],
    },
    {
      title: 'CPU',
      format: cores,
      binary: false,
      lines: [line('cores', 1, (frame) => frame.cpuCores, true)],
    },
  ];
  return (
    <div class="charts">
      {charts.map(({ title, ...chart }) => (
        <figure key={title}>
          <figcaption>
            {title}, last {Math.round((finishedAt - vitals[0]!.at) / 1000)} s
          </figcaption>
          <Chart {...chart} label={`${title} before the death`} times={times} height={150} />
        </figure>
      ))}
    </div>
  );
}
