import { describe, expect, it } from 'vitest';
import { type Fork, parseTrace, type SentSignal } from '../../../src/agent/host/signal-trace.ts';
import { createSenderWatch } from '../../../src/agent/stats/sender-watch.ts';

const TRACE = `
            bash-811     [001] d..2.  5012.345678: signal_generate: sig=9 errno=0 code=0 comm=node pid=790 grp=1 res=0
              sh-811     [001] .....  5012.345600: sched_process_fork: comm=sh pid=811 child_comm=sh child_pid=812
 a b-c [0] x-813     (    813) [003] d..2.  5013.5: signal_generate: sig=15 errno=0 code=0 comm=my app pid=14 grp=1 res=0
   CPU:1 [LOST 17 EVENTS]`;

describe('the trace of signals', () => {
  it('is read by who sent which signal to whom, and who made whom', () => {
    expect(parseTrace(TRACE)).toEqual([
      {
        kind: 'signal',
        signal: 9,
        target: 790,
        targetCommand: 'node',
        sender: 811,
        senderCommand: 'bash',
        monotonicMs: 5_012_346,
      },
      { kind: 'fork', parent: 811, child: 812 },
      expect.objectContaining({ signal: 15, sender: 813, senderCommand: 'a b-c [0] x', target: 14 }),
    ]);
  });
});

const NOW = 1_900_000_000_000;
const CART = { uid: 'u1', namespace: 'shop', name: 'cart' };
const PAY = { uid: 'u2', namespace: 'shop', name: 'pay' };
const cgroups: Readonly<Record<number, string>> = {
  100: '/p/u1/app',
  200: '/p/u1/janitor',
  300: '/p/u2/app',
};

/** Pods with first processes 100, 200 (of one pod) and 300; everybody else is gone, but for the node's 40 and 41. */
function watchOf(events: readonly (Partial<SentSignal> | Fork)[]) {
  const queue = events.map((event) =>
    'child' in event
      ? (event as Fork)
      : ({
          kind: 'signal',
          signal: 9,
          targetCommand: 'app',
          senderCommand: 'kill',
          target: 100,
          sender: 999,
          monotonicMs: 9_000,
          ...event,
        } as SentSignal),
  );
  const watch = createSenderWatch({
    trace: { read: () => queue.splice(0), close() {} },
    now: () => NOW,
    kernelNow: () => 10_000,
    processes: {
      cgroup: (pid) => ({
        ...(cgroups[pid] ? { memory: cgroups[pid] } : {}),
        ...(pid === 40 || pid === 41 ? { memory: '/user' } : {}),
      }),
      origin: (pid) =>
        ({ 40: { parent: 1, hasTerminal: false, loginUid: 1000 }, 41: { parent: 1, hasTerminal: false } })[
          pid
        ],
      user: (uid) => `user ${uid}`,
    },
  });
  watch.started({ containerId: 'app', container: 'app', pod: CART, pid: 100 });
  watch.started({ containerId: 'janitor', container: 'janitor', pod: CART, pid: 200 });
  watch.started({ containerId: 'pay', container: 'app', pod: PAY, pid: 300 });
  return watch;
}

/** How the first container ended, by that. */
const watching = (events: Parameters<typeof watchOf>[0]) => {
  const watch = watchOf(events);
  return (exitCode = 137, signal: number | undefined = 9) =>
    watch.ended({ containerId: 'app', finishedAt: NOW, exitCode, ...(signal ? { signal } : {}) });
};
const made = (parent: number, child: number): Fork => ({ kind: 'fork', parent, child });

describe('who sent the signal', () => {
  it('is a process of another container of the pod, though it is gone by now', () => {
    const ended = watching([made(200, 998), made(998, 999), {}]);
    expect(ended()).toMatchObject({ place: 'pod', container: 'janitor', command: 'kill', at: NOW - 1000 });
  });
  it('is another process of the container, or one that had started the victim', () => {
    expect(watching([made(100, 999), {}])()).toMatchObject({
      place: 'container',
      target: { mainProcess: true },
    });
    const child = [made(100, 555), { target: 555, sender: 100 }];
    expect(watching(child)(137, 0)).toMatchObject({ place: 'parent', target: { mainProcess: false } });
    expect(watching([{ sender: 100 }])()).toMatchObject({ place: 'itself' });
  });
  it('is somebody on the node, or a process of another pod', () => {
    expect(watching([{ sender: 40 }])()).toMatchObject({ place: 'node', user: 'user 1000' });
    expect(watching([made(41, 999), {}])()).toEqual(expect.not.objectContaining({ user: expect.anything() }));
    expect(watching([made(300, 999), {}])()).toMatchObject({ place: 'other-pod', pod: 'shop/pay' });
  });
  it('is a command that a user ran in the container, or what it started', () => {
    const watch = watchOf([made(41, 700), made(700, 701), made(701, 999), {}]);
    watch.ran(700);
    expect(watch.ended({ containerId: 'app', finishedAt: NOW, exitCode: 137, signal: 9 })).toMatchObject({
      place: 'exec',
      command: 'kill',
    });
  });
  it('is whoever asked a program to end that ended with a code of its own', () => {
    expect(watching([made(200, 999), { signal: 15 }])(0, 0)).toMatchObject({ place: 'pod', signal: 15 });
    expect(watching([made(200, 999), { signal: 1 }])(1, 0)).toBeUndefined();
  });
  it('is not known when nobody sent that one, long ago, to another, or by a process nobody knows', () => {
    expect(watching([])()).toBeUndefined();
    expect(watching([made(200, 999), { signal: 15 }])()).toBeUndefined();
    expect(watching([made(200, 999), { monotonicMs: -60_000 }])()).toBeUndefined();
    expect(watching([made(200, 999), { target: 300 }])()).toBeUndefined();
    expect(watching([{}])()).toBeUndefined();
  });

  it('is nobody while no signal was sent to the first process; that cannot be told of one nobody watches', () => {
    expect(watchOf([]).isUntouched('app')).toBe(true);
    expect(watchOf([{ target: 200 }]).isUntouched('app')).toBe(true);
    expect(watchOf([{ target: 100, signal: 15 }]).isUntouched('app')).toBe(false);
    expect(watchOf([]).isUntouched('gone')).toBe(false);
    expect(watchOf(Array.from({ length: 512 }, () => ({ target: 200 }))).isUntouched('app')).toBe(false);
  });
});
