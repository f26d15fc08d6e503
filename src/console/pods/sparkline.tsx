import { memo } from 'preact/compat';

const WIDTH = 88;
const HEIGHT = 22;

/** Points over a fixed span of time, from zero to at least `floor`, so that noise does not look like a trend. */
export const Sparkline = memo(function Sparkline({
  points,
  from,
  to,
  floor,
}: {
  points: readonly (readonly [t: number, v: number])[];
  from: number;
  to: number;
  floor: number;
}) {
  const finite = points.filter(([, v]) => Number.isFinite(v));
  if (finite.length < 2) return <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />;
  const top = Math.max(floor, ...finite.map(([, v]) => v)) * 1.08;
  const x = (t: number) => ((t - from) / (to - from)) * WIDTH;
  const y = (v: number) => HEIGHT - 1.5 - (v / top) * (HEIGHT - 3);
  const line = finite
    .map(([t, v], index) => `${index === 0 ? 'M' : 'L'}${x(t).toFixed(1)} ${y(v).toFixed(1)}`)
    .join('');
  const [last, first] = [finite.at(-1)!, finite[0]!];
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path
        class="spark-area"
        d={`${line}L${x(last[0]).toFixed(1)} ${HEIGHT}L${x(first[0]).toFixed(1)} ${HEIGHT}Z`}
      />
      <path class="spark-line" d={line} />
      <circle cx={x(last[0]).toFixed(1)} cy={y(last[1]).toFixed(1)} r="1.8" />
    </svg>
  );
});
