import type { Life } from '../../model/life.ts';
import { span, timeOf } from '../format.ts';

const WIDTH = 1000;
const HEIGHT = 40;
// A life of a fifth of a second on a scale of minutes still has to be seen.
const NARROWEST = 5;

/** The lives over time: a bar from start to death each, and the life that goes on. */
export function LifeStrip({
  lives,
  runningSince,
  now,
}: {
  lives: readonly Life[];
  runningSince: number | undefined;
  now: number;
}) {
  const from = Math.min(...lives.map(({ startedAt }) => startedAt), runningSince ?? now);
  const scale = (at: number) => ((at - from) / Math.max(1, now - from)) * (WIDTH - NARROWEST);
  const width = (start: number, end: number) => Math.max(NARROWEST, scale(end) - scale(start));
  return (
    <figure class="strip">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words(lives, runningSince, from, now)}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        {lives.map((life) => (
          <rect
            key={life.id}
            class={life.unrequested ? 'life-bad' : 'life-asked'}
            x={scale(life.startedAt)}
            y="6"
            width={width(life.startedAt, life.finishedAt)}
            height={HEIGHT - 12}
            rx="2"
          />
        ))}
        {runningSince !== undefined && (
          <rect
            class="life-running"
            x={scale(runningSince)}
            y="6"
            width={width(runningSince, now)}
            height={HEIGHT - 12}
            rx="2"
          />
        )}
      </svg>
      <figcaption>
        <span>{timeOf(from, now)}</span>
        <span>
          {lives.length === 1 ? '1 life ended' : `${lives.length} lives ended`}
          {runningSince === undefined ? ', none running' : ', one running'}
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

function words(lives: readonly Life[], runningSince: number | undefined, from: number, now: number): string {
  const running = runningSince === undefined ? 'none runs now' : `one runs for ${span(now - runningSince)}`;
  return `${lives.length} lives ended in the last ${span(now - from)}; ${running}`;
}
