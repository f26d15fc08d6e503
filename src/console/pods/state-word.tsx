import type { PodSummary, Trouble } from '../../model/pod-summary.ts';

// Shapes as well as colours, so that a state can be told apart without them.
const SHAPES: Readonly<Record<Trouble, string>> = {
  broken: 'M6 1 11 6 6 11 1 6Z',
  faulty: 'M6 1 11.2 10.5H.8Z',
  unready: 'M6 1.2a4.8 4.8 0 1 0 0 9.6Z M6 1.2a4.8 4.8 0 0 1 0 9.6',
  none: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z',
};

export function StateWord({ pod: { word, trouble } }: { pod: Pick<PodSummary, 'word' | 'trouble'> }) {
  return (
    <span class={`state state-${trouble}`}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[trouble]} />
      </svg>
      {word}
      {word === 'Running' && (trouble === 'broken' || trouble === 'unready') && <small>not ready</small>}
    </span>
  );
}
