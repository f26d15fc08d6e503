import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface ChartLine {
  readonly name: string;
  /** A value for each time, null where there is none. */
  readonly values: readonly (number | null)[];
  /** A number of the palette, 0 to 7; `limit` is drawn as a dashed line of its own. */
  readonly colour: number | 'limit';
  readonly filled?: boolean;
}

export interface ChartProps {
  /** What the picture shows, for those who cannot see it. */
  readonly label: string;
  /** Seconds, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  readonly height: number;
  readonly from?: number;
  readonly to?: number;
  /** The scale starts at 0 and reaches at least this. */
  readonly atLeast?: number;
  readonly binary?: boolean;
  /** There is nothing between whole numbers. */
  readonly whole?: boolean;
}

/** Lines over time, drawn by uPlot in the colours of the page's scheme, as wide as its place. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot>(undefined);
  const shape = JSON.stringify([
    props.lines.map(({ name, colour, filled }) => [name, colour, filled]),
    props.height,
  ]);

  useEffect(() => {
    const element = place.current!;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(latest.current, element), dataOf(latest.current), element);
    };
    build();
    const resized = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: latest.current.height });
    });
    resized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', build);
    return () => {
      scheme.removeEventListener('change', build);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props]);

  return <div class="chart" ref={place} role="img" aria-label={props.label} />;
}

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  return [times as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
const WHOLE_STEPS = Array.from({ length: 15 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

function optionsOf(props: ChartProps, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis: uPlot.Axis = {
    stroke: colour('--ink-3'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: props.height,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    plugins: [tooltip(props)],
    scales: {
      x: { range: (_plot, low, high) => [props.from ?? low ?? 0, props.to ?? high ?? 1] },
      y: {
        range: (_plot, low, high) => {
          const top = Math.max(props.atLeast ?? 0, high ?? 0);
          return [Math.min(0, low ?? 0), top > 0 ? top * 1.05 : 1];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 80,
        values: (_plot, splits) => splits.map((seconds) => tick(seconds, splits)),
      },
      {
        ...axis,
        size: 56,
        space: 34,
        ...(props.binary ? { incrs: BINARY_STEPS } : props.whole ? { incrs: WHOLE_STEPS } : {}),
        values: (_plot, splits) => splits.map((value) => props.format(value)),
      },
    ],
    series: [
      {},
      ...props.lines.map(({ name, colour: number, filled }): uPlot.Series => {
        if (number === 'limit')
          return { label: name, stroke: colour('--ink-3'), width: 1, dash: [4, 4], points: { show: false } };
        const stroke = colour(`--line-${number % 8}`);
        return {
          label: name,
          stroke,
          width: 1.5,
          points: { show: true, size: 5, fill: stroke, filter: lonely },
          ...(filled ? { fill: colour(`--fill-${number % 8}`) } : {}),
        };
      }),
    ],
  };
}

/** Values with none beside them: no line goes through them, so that they would not be seen. */
function lonely(plot: uPlot, series: number): number[] {
  const values = plot.data[series]!;
  const there = (index: number) => values[index] !== null && values[index] !== undefined;
  return Array.from(values.keys()).filter((index) => there(index) && !there(index - 1) && !there(index + 1));
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

function tick(seconds: number, splits: readonly number[]): string {
  const fine = splits.length > 1 && splits[1]! - splits[0]! < 60;
  return (fine ? clockSeconds : clock).format(seconds * 1000);
}

/** A box beside the cursor with the time and each line's value; text only, whatever the series are called. */
function tooltip(props: ChartProps): uPlot.Plugin {
  const box = document.createElement('div');
  box.className = 'tooltip';
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor: (plot) => {
        const { idx, left = -1 } = plot.cursor;
        box.hidden = idx === null || idx === undefined || left < 0;
        if (box.hidden) return;
        const rows = props.lines.flatMap((_, index) => {
          const value = plot.data[index + 1]![idx!];
          const label = String(plot.series[index + 1]!.label);
          return value === null || value === undefined ? [] : [row(label, props.format(value))];
        });
        const time = document.createElement('b');
        time.textContent = clockSeconds.format(plot.data[0]![idx!]! * 1000);
        box.replaceChildren(time, ...rows.slice(0, 12));
        const right = left > plot.over.clientWidth / 2;
        box.style.left = right ? '' : `${left + 12}px`;
        box.style.right = right ? `${plot.over.clientWidth - left + 12}px` : '';
      },
    },
  };
}

function row(name: string, value: string): HTMLElement {
  const element = document.createElement('span');
  element.textContent = `${name} ${value}`;
  return element;
}
