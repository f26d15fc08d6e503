import type { Death } from '../../../src/agent/triage/death.ts';
import type { LogLine } from '../../../src/model/life.ts';
import { CART, CONFIG, START } from '../events/story.ts';

export interface DeathStory extends Omit<Partial<Death>, 'life'> {
  readonly log?: string;
  readonly life?: Partial<Death['life']>;
}

/** One line of log each line of text, a millisecond apart, the last just before the death. */
export function logOf(text: string, endsAt = START + 1000): readonly LogLine[] {
  const lines = text.replace(/^\n|\n\s*$/g, '').split('\n');
  return lines.map((line, index) => ({ at: endsAt - lines.length + index, stream: 'stderr', text: line }));
}

/** The cart exits with 1 after a second, with this log; the kernel counted no OOM kill. */
export function deathOf({ log = '', life = {}, ...more }: DeathStory = {}): Death {
  return {
    life: {
      id: 'life-11',
      pod: CART,
      container: 'cart',
      init: false,
      attempt: 0,
      containerId: 'c-0',
      config: CONFIG,
      startedAt: START,
      finishedAt: START + 1000,
      exitCode: 1,
      reason: 'Error',
      killRequest: null,
      unrequested: true,
      oomKills: [],
      log: log === '' ? [] : logOf(log),
      vitals: [],
      probes: [],
      listening: [],
      ...life,
    },
    oomKillsCounted: 0,
    earlier: [],
    restartPolicy: 'Always',
    ...more,
  };
}
