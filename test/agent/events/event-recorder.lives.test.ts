import { afterEach, describe, expect, it } from 'vitest';
import { createEventRecorder, type EventRecorder } from '../../../src/agent/events/event-recorder.ts';
import { createFlightRecorder } from '../../../src/agent/events/flight-recorder.ts';
import type { ContainerDied } from '../../../src/agent/events/obituary.ts';
import type { KeyValue } from '../../../src/agent/pod/key-value.ts';
import type { PodView } from '../../../src/agent/pod/view.ts';
import type { LogLine, OomKill } from '../../../src/model/life.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { CART, died, podView, START, usage } from './story.ts';

const recorders: EventRecorder[] = [];
afterEach(() => {
  for (const recorder of recorders.splice(0)) recorder.close();
});

interface TellOptions {
  readonly log?: readonly string[];
  /** null: the pod is not there any more. */
  readonly view?: PodView | null;
  readonly logs?: () => Promise<readonly LogLine[]>;
  readonly keyValue?: KeyValue;
}

function tell(options: TellOptions = {}) {
  const clock = createFakeClock(START);
  const flightRecorder = createFlightRecorder();
  const batches: AgentRecord[][] = [];
  const view = options.view === null ? undefined : (options.view ?? podView());
  const lines = (options.log ?? []).map((text, index) => ({
    at: START + index,
    stream: 'stderr' as const,
    text,
  }));
  const recorder = createEventRecorder({
    node: CART.node,
    clock,
    flightRecorder,
    logs: options.logs ?? (async () => lines),
    view: () => view,
    ...(options.keyValue ? { keyValue: options.keyValue } : {}),
    emit: (records) => void batches.push([...records]),
  });
  recorders.push(recorder);
  const records = () => batches.flat();
  return {
    clock,
    flightRecorder,
    recorder,
    batches,
    records,
    lives: () => records().flatMap((record) => (record.kind === 'life' ? [record.life] : [])),
    events: () => records().flatMap((record) => (record.kind === 'event' ? [record.event] : [])),
    states: () => records().flatMap((record) => (record.kind === 'pod' ? [record.state] : [])),
    async death(more: Partial<ContainerDied> = {}) {
      const death = died(more);
      await clock.advance(Math.max(0, death.at - clock.now()));
      recorder.onTransition(death);
      await clock.advance(300);
      await recorder.settled();
    },
  };
}

describe('a death', () => {
  it('goes out as one batch: the event, the life with its verdict, the state of the pod', async () => {
    const story = tell({
      log: ['cart: starting', 'Error: missing required environment variable PAYMENT_URL'],
    });
    await story.death();
    const batch = story.batches.at(-1)!;
    expect(batch.map(({ kind }) => kind)).toEqual(['event', 'life', 'pod']);
    expect(story.events().at(-1)).toMatchObject({
      reason: 'Died',
      type: 'Warning',
      attempt: 0,
      details: { exitCode: 1, cause: 'MissingConfig', unrequested: true },
    });
    expect(story.lives()[0]!.verdict).toMatchObject({ cause: 'MissingConfig', confidence: 'certain' });
    expect(story.states().at(-1)!.verdict.summary).toContain('PAYMENT_URL');
  });

  it('that is nobody’s fault says who asked for it, and why', async () => {
    const story = tell();
    const message = 'Scaled down by Deployment cart';
    await story.death({
      exitCode: 0,
      reason: 'Completed',
      unrequested: false,
      killRequest: { by: 'rollout', message, at: START },
    });
    expect(story.events().at(-1)).toMatchObject({
      type: 'Normal',
      message: expect.stringMatching(
        /ended with code 0 .*: asked for by rollout \(Scaled down by Deployment cart\)$/,
      ),
    });
  });

  it('tells the same facts under the same ids after a restart of the agent', async () => {
    const [before, after] = [tell(), tell()];
    await before.death({ attempt: 4 });
    await after.death({ attempt: 4 });
    const ids = (story: typeof before) => [...story.lives(), ...story.events()].map(({ id }) => id);
    expect(ids(after)).toEqual(ids(before));
    expect(new Set(ids(before)).size).toBe(2);
  });

  it('freezes the flight recorder, and frees it', async () => {
    const story = tell();
    for (let second = 0; second < 150; second += 1) story.flightRecorder.record('c-0', usage(second));
    await story.death({ containerId: 'c-0' });
    story.flightRecorder.record('c-0', usage(151));
    const { vitals } = story.lives()[0]!;
    expect(vitals).toHaveLength(120);
    expect(vitals.at(-1)).toMatchObject({
      at: START + 149_000,
      cpuCores: 0.5,
      memoryWorkingSetBytes: 149 * 2 ** 20,
    });
    expect(story.flightRecorder.size).toBe(0);
  });

  it('keeps at most 100 lines and 32 KiB of its log, the last ones, without secrets', async () => {
    const log = Array.from({ length: 400 }, (_, index) => `${index} ${'x'.repeat(1000)}`);
    const story = tell({ log: [...log, 'DB_PASSWORD=hunter2swordfish', 'end'] });
    await story.death();
    const kept = story.lives()[0]!.log;
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0)).toBeLessThanOrEqual(
      32 * 1024,
    );
    expect(kept.slice(-2).map(({ text }) => text)).toEqual(['DB_PASSWORD=[redacted]', 'end']);
  });

  it('is told without its log when the log does not come', async () => {
    const story = tell({ logs: () => new Promise(() => {}) });
    story.recorder.onTransition(died());
    await story.clock.advance(2500);
    expect(story.lives()[0]).toMatchObject({ log: [], verdict: { cause: 'Unknown', confidence: 'unknown' } });
  });

  it('is told when reading the log fails', async () => {
    const story = tell({ logs: () => Promise.reject(new Error('the disk is gone')) });
    await story.death();
    expect(story.lives()).toHaveLength(1);
  });
});

describe('an OOM kill', () => {
  const kill: OomKill = {
    at: START + 900,
    pid: 77,
    command: 'node',
    rssBytes: 130 * 2 ** 20,
    mainProcess: true,
  };
  const oomDeath = { exitCode: 137, signal: 9, oomKills: 1, reason: 'OOMKilled' } as const;

  it('joins the life it ended, with the victim, even when the kernel is heard a moment after the exit', async () => {
    const story = tell();
    story.recorder.onTransition(died(oomDeath));
    await story.clock.advance(50);
    story.recorder.onOomKill({ pod: CART, container: 'cart', attempt: 0, kill });
    await story.clock.advance(300);
    expect(story.lives()[0]).toMatchObject({
      oomKills: [kill],
      verdict: { cause: 'OOMKilled', failureMode: 'F2', confidence: 'certain' },
    });
    expect(story.lives()[0]!.verdict.summary).toContain('128 MiB');
    expect(story.events().filter(({ reason }) => reason === 'OOMKill')).toHaveLength(1);
  });

  it('is known by the counter alone where the kernel log is not readable', async () => {
    const story = tell();
    await story.death(oomDeath);
    expect(story.lives()[0]!.oomKills).toEqual([{ at: story.lives()[0]!.finishedAt, mainProcess: true }]);
    expect(story.lives()[0]!.verdict).toMatchObject({ cause: 'OOMKilled', confidence: 'certain' });
    expect(story.events().map(({ reason }) => reason)).toEqual(['OOMKill', 'Died']);
  });

  it('read twice from the kernel log is one kill', async () => {
    const story = tell();
    for (const at of [START + 900, START + 901]) {
      story.recorder.onOomKill({ pod: CART, container: 'cart', attempt: 0, kill: { ...kill, at } });
    }
    await story.death({ ...oomDeath, oomKills: 1 });
    expect(story.lives()[0]!.oomKills).toHaveLength(1);
  });
});

describe('the lives of a container', () => {
  it('are the last ten, and know how often the cause came back', async () => {
    const story = tell({ log: ['FATAL: LEDGER_URL is not set'] });
    for (let attempt = 0; attempt < 13; attempt += 1) {
      await story.death({ attempt, at: START + attempt * 60_000, finishedAt: START + attempt * 60_000 });
    }
    const lives = story.recorder.lives(CART.uid, 'cart');
    expect(lives.map(({ attempt }) => attempt)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(
      lives
        .at(-1)!
        .verdict.evidence.map(({ fact }) => fact)
        .join('\n'),
    ).toContain('11th death in a row');
  });

  it('are gone with the pod, whose last state says it is deleted and why it was broken', async () => {
    const story = tell({ log: ['FATAL: LEDGER_URL is not set'] });
    await story.death();
    story.recorder.onTransition({ kind: 'pod-deleted', at: START + 5000, pod: CART });
    await story.recorder.settled();
    expect(story.states().at(-1)).toMatchObject({ deleted: true, verdict: { cause: 'MissingConfig' } });
    expect(story.recorder.lives(CART.uid)).toEqual([]);
  });

  it('are not brought back by a view that is older than the end of the pod', async () => {
    const story = tell();
    await story.death();
    story.recorder.onTransition({ kind: 'pod-deleted', at: START + 5000, pod: CART });
    story.recorder.podChanged(podView());
    await story.recorder.settled();
    story.recorder.podChanged(podView());
    await story.clock.advance(10_000);
    expect(story.states().at(-1)!.deleted).toBe(true);
    expect(story.states().filter(({ deleted }) => deleted)).toHaveLength(1);
  });
});

describe('an agent that starts again', () => {
  const durable = () => {
    const values = new Map<string, unknown>();
    return {
      get: (key: string) => values.get(key),
      set: async (key: string, value: unknown) => void values.set(key, structuredClone(value)),
      delete: async (key: string) => void values.delete(key),
      entries: (prefix: string) =>
        [...values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  };

  it('still knows why a container waits', async () => {
    const keyValue = durable();
    await tell({ keyValue, log: ['FATAL: LEDGER_URL is not set'] }).death();
    const after = tell({ keyValue });
    after.recorder.podChanged(podView());
    expect(after.states().at(-1)!.verdict.cause).toBe('MissingConfig');
  });

  it('says the last word about a pod that is gone once more, under the same id', async () => {
    const keyValue = durable();
    const before = tell({ keyValue });
    before.recorder.podChanged(podView());
    const deleted = { kind: 'pod-deleted', at: START + 5000, pod: CART } as const;
    before.recorder.onTransition({
      kind: 'pod-deleting',
      at: START,
      pod: CART,
      graceMs: 0,
      request: { by: 'delete', message: '', at: START },
    });
    before.recorder.onTransition(deleted);
    await before.recorder.settled();
    const after = tell({ keyValue, view: null });
    after.recorder.onTransition(deleted);
    await after.recorder.settled();
    expect(after.states()).toEqual(before.states().slice(-1));
  });

  it('says it the first time where it was killed before', async () => {
    const keyValue = durable();
    const before = tell({ keyValue });
    before.recorder.onTransition({
      kind: 'pod-deleting',
      at: START,
      pod: CART,
      graceMs: 0,
      request: { by: 'delete', message: '', at: START },
    });
    const after = tell({ keyValue, view: null });
    after.recorder.onTransition({ kind: 'pod-deleted', at: START + 5000, pod: CART });
    await after.recorder.settled();
    expect(after.states().at(-1)).toMatchObject({ deleted: true, pod: CART });
  });
});

describe('a kill that was only counted', () => {
  it('is no record of its victim: the counter and the signal decide', async () => {
    const story = tell();
    story.recorder.onOomKill({
      pod: CART,
      container: 'cart',
      attempt: 0,
      kill: { at: START + 900, mainProcess: false },
    });
    await story.death({ exitCode: 137, signal: 9, oomKills: 1, reason: 'OOMKilled' });
    expect(story.lives()[0]!.verdict).toMatchObject({ cause: 'OOMKilled', confidence: 'certain' });
    expect(story.lives()[0]!.oomKills).toHaveLength(1);
  });
});
