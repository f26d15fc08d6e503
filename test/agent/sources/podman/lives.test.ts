import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodmanEvent } from '../../../../src/agent/engines/podman/event-stream.ts';
import {
  type FoundLife,
  judgeLives,
  type LifeFact,
  type LifeMemory,
} from '../../../../src/agent/sources/podman/lives.ts';

const T0 = Date.UTC(2026, 0, 1);
const NEW: LifeMemory = { alive: false, seenNano: 0 };

/** `start@10 died=3@12`: actions of one container with their exit code, seconds after the epoch of the test. */
const events = (text: string, type = 'container'): readonly PodmanEvent[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const [, action, code, second] = /^(\w+)(?:=(\d+))?@([\d.]+)$/.exec(word)!;
      return {
        nano: (T0 + Number(second) * 1000) * 1e6,
        type,
        action: action!,
        id: 'c1',
        name: 'cart',
        podId: '',
        ...(code === undefined ? {} : { exitCode: Number(code) }),
        attributes: {},
      };
    });

/** `up@10`, `down@10..12=3`, `gone`. */
const found = (text: string): FoundLife | undefined => {
  if (text === 'gone') return undefined;
  const [, state, from, to, code] = /^(up|down)@(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?(?:=(\d+))?$/.exec(
    text,
  )!;
  return {
    alive: state === 'up',
    startedMs: T0 + Number(from) * 1000,
    ...(to === undefined ? {} : { finishedMs: T0 + Number(to) * 1000 }),
    exitCode: Number(code ?? 0),
  };
};

const words = (facts: readonly LifeFact[]) =>
  facts
    .map((fact) => {
      const at = `@${(fact.atMs - T0) / 1000}`;
      if (fact.kind === 'started') return `started${at}`;
      return `died${fact.exitCode === undefined ? '?' : `=${fact.exitCode}`}${at}${fact.request ? ` (${fact.request.message})` : ''}`;
    })
    .join(', ');

interface Look {
  readonly events: string;
  readonly found: string;
  readonly at: number;
  readonly pod?: string;
  readonly autoRemove?: boolean;
  readonly oomKilled?: boolean;
  readonly untouched?: boolean;
}

const judge = (memory: LifeMemory, look: Look) =>
  judgeLives(memory, {
    events: events(look.events),
    podEvents: events(look.pod ?? '', 'pod'),
    found: found(look.found),
    autoRemove: look.autoRemove ?? false,
    oomKilled: () => look.oomKilled ?? false,
    untouched: () => look.untouched ?? false,
    nowMs: T0 + look.at * 1000,
  });

/** Looks again and again until nothing is open; what came of it. */
const story = (...looks: readonly Look[]) => {
  let memory = NEW;
  const told: LifeFact[] = [];
  for (const look of looks) {
    const judged = judge(memory, look);
    memory = judged.memory;
    told.push(...judged.facts);
  }
  return words(told);
};

describe('the lives of a container, by its events and its inspections', () => {
  it('begin and end with their events', () =>
    expect(
      story(
        { events: 'create@9 init@9 start@10.1', found: 'up@10', at: 11 },
        { events: 'start@10.1 died=3@12 cleanup@12.1', found: 'down@10..12=3', at: 14 },
      ),
    ).toBe('started@10.1, died=3@12'));

  it('are counted one by one where Podman restarts at once', () =>
    expect(
      story(
        { events: 'start@10.1', found: 'up@10', at: 11 },
        {
          events:
            'start@10.1 died=3@12 restart@12 init@12.1 start@12.2 died=4@14 restart@14 init@14.1 start@14.2',
          found: 'up@14.15',
          at: 14.5,
        },
      ),
    ).toBe('started@10.1, died=3@12, started@12.2, died=4@14, started@14.2'));

  it('wait for events that lag behind the inspection, and tell each once', () => {
    const open = judge(judge(NEW, { events: 'start@10.1', found: 'up@10', at: 11 }).memory, {
      events: 'start@10.1',
      found: 'up@14',
      at: 14.1,
    });
    expect(words(open.facts)).toBe('');
    expect(open.lookAgainMs).toBeGreaterThan(0);
    const settled = judge(open.memory, {
      events: 'start@10.1 died=3@12 restart@12 init@13 start@14.1',
      found: 'up@14',
      at: 14.4,
    });
    expect(words(settled.facts)).toBe('died=3@12, started@14.1');
  });

  it('end with an unknown code where no event ever told', () =>
    expect(
      story(
        { events: 'start@10.1', found: 'up@10', at: 11 },
        { events: 'start@10.1', found: 'up@14', at: 14.1 },
        { events: 'start@10.1', found: 'up@14', at: 17.2 },
        { events: 'start@10.1', found: 'up@14', at: 18 },
      ),
    ).toBe('started@10.1, died?@14, started@14'));

  it('end with the code of the inspection where only the event is missing', () =>
    expect(
      story(
        { events: 'start@10.1', found: 'up@10', at: 11 },
        { events: 'start@10.1', found: 'down@10..12=7', at: 12.1 },
        { events: 'start@10.1', found: 'down@10..12=7', at: 16 },
        // And when it comes after all, it is no second death.
        { events: 'start@10.1 died=7@12.1', found: 'down@10..12=7', at: 17 },
      ),
    ).toBe('started@10.1, died=7@12'));

  it('are told once where the inspection was faster than the events', () =>
    expect(
      story(
        { events: 'create@9', found: 'down@10..10.3=4', at: 10.4 },
        { events: 'create@9 start@10.1 died=4@10.4 remove@10.5', found: 'gone', at: 11, autoRemove: true },
      ),
    ).toBe('started@10, died=4@10.3'));

  it('begin by the inspection for what ran before anybody looked', () =>
    expect(
      story(
        { events: '', found: 'up@10', at: 100 },
        { events: 'died=3@101 restart@101 init@101.1 start@101.2', found: 'up@101.15', at: 101.5 },
      ),
    ).toBe('started@10, died=3@101, started@101.2'));

  it('end when the container is gone and nobody says how', () =>
    expect(
      story(
        { events: 'start@10.1', found: 'up@10', at: 11 },
        { events: 'start@10.1', found: 'gone', at: 12 },
        { events: 'start@10.1', found: 'gone', at: 16 },
      ),
    ).toBe('started@10.1, died?@16'));

  it('are told once in whatever portions the evidence comes', () => {
    const log = 'start@10.1 died=3@12 restart@12.05 init@12.1 start@12.2 died=4@14 cleanup@14.1'.split(' ');
    const states = [
      'up@10',
      'up@10',
      'down@10..11.9=3',
      'down@10..11.9=3',
      'up@12.15',
      'up@12.15',
      'down@12.15..13.9=4',
      'down@12.15..13.9=4',
    ];
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5, 6], { minLength: 0 }), fc.boolean(), (cuts, forgets) => {
        let memory = NEW;
        const told: LifeFact[] = [];
        for (const cut of [...cuts, 7, 7]) {
          const shown = log.slice(0, cut);
          const at = cut === 7 ? 20 : Number(shown.at(-1)!.split('@')[1]) + 0.05;
          const judged = judge(memory, { events: shown.join(' '), found: states[cut]!, at });
          // An agent that is restarted knows what it wrote down.
          memory = forgets ? (JSON.parse(JSON.stringify(judged.memory)) as LifeMemory) : judged.memory;
          told.push(...judged.facts);
        }
        expect(told.map(({ kind }) => kind)).toEqual(['started', 'died', 'started', 'died']);
        expect(told.flatMap((fact) => (fact.kind === 'died' ? [fact.exitCode] : []))).toEqual([3, 4]);
      }),
    );
  });
});

describe('who asked for a death', () => {
  const death = (log: string, more: Partial<Look> = {}) =>
    story({ events: `start@1 ${log}`, found: 'down@1..10=137', at: 20, ...more }).replace('started@1, ', '');

  it('is nobody for a crash', () => expect(death('died=3@10 cleanup@10.1')).toBe('died=3@10'));
  it('is podman kill', () =>
    expect(death('kill@9.9 died=137@10 cleanup@10.1')).toBe('died=137@10 (Killed by podman kill)'));
  it('is not a signal long before that did not end it', () =>
    expect(death('kill@2 died=137@40 cleanup@40.1', { at: 50 })).toBe('died=137@40'));
  it('is podman stop, told after the death or before', () => {
    expect(death('died=143@10 cleanup@10.1 stop@10.2')).toBe('died=143@10 (Stopped by podman stop)');
    expect(death('stop@9.9 died=137@10')).toBe('died=137@10 (Stopped by podman stop)');
  });
  it('is podman stop where Podman 4 tells of it only by cleaning up twice', () =>
    expect(death('died=0@10 cleanup@10.06 cleanup@10.07')).toBe('died=0@10 (Stopped by podman stop)'));
  it('is podman restart before the death, and the policy after it', () => {
    expect(death('restart@9.9 died=137@10 cleanup@10.1 init@10.2 start@10.3', { found: 'up@10.25' })).toBe(
      'died=137@10 (Restarted by podman restart), started@10.3',
    );
    expect(death('died=137@10 restart@10.01 init@10.2 start@10.3', { found: 'up@10.25' })).toBe(
      'died=137@10, started@10.3',
    );
  });
  it('is podman rm --force, unless Podman removes it in any case', () => {
    expect(death('died=137@10 remove@10.1', { found: 'gone' })).toBe(
      'died=137@10 (Removed by podman rm --force)',
    );
    expect(death('died=4@10 remove@10.1', { found: 'gone', autoRemove: true })).toBe('died=4@10');
  });
  it('is whoever stopped or killed its pod', () => {
    expect(death('died=137@10 cleanup@10.1', { pod: 'stop@9.9' })).toBe(
      'died=137@10 (Stopped by podman pod stop)',
    );
    expect(death('died=137@10 cleanup@10.1', { pod: 'kill@9.9' })).toBe(
      'died=137@10 (Killed by podman pod kill)',
    );
  });
  it('waits a moment for evidence, but not where the kernel killed it or it runs again', () => {
    const at = 10.2;
    const open = (log: string, more: Partial<Look> = {}) =>
      judge(NEW, { events: `start@1 ${log}`, found: 'down@1..10=137', at, ...more }).lookAgainMs !==
      undefined;
    expect(open('died=137@10 cleanup@10.1')).toBe(true);
    expect(open('died=137@10 cleanup@10.1', { oomKilled: true })).toBe(false);
    expect(open('died=137@10 restart@10.1')).toBe(false);
  });
  it('is nobody at once where the kernel saw nobody send a signal', () => {
    const judged = judge(NEW, {
      events: 'start@1 died=3@10',
      found: 'down@1..10=3',
      at: 10,
      untouched: true,
    });
    expect(words(judged.facts)).toBe('started@1, died=3@10');
  });
  it('is decided as soon as who cleans up first is done, and a second one would be', () => {
    const decided = (log: string, at: number) =>
      judge(NEW, { events: `start@1 ${log}`, found: 'down@1..10=3', at }).lookAgainMs === undefined;
    expect(decided('died=3@10 cleanup@10.06', 10.5)).toBe(false);
    expect(decided('died=3@10 cleanup@10.06', 10.7)).toBe(true);
    expect(decided('died=3@10 cleanup@10.25', 11.2)).toBe(false);
    expect(decided('died=3@10', 11.4)).toBe(false);
    expect(decided('died=3@10', 11.5)).toBe(true);
  });
});
