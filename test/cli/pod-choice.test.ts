import { describe, expect, it } from 'vitest';
import { choosePod } from '../../src/cli/pod-choice.ts';
import type { Pod } from '../../src/model/kubernetes.ts';

interface Traits {
  readonly phase?: Pod['status']['phase'];
  /** Minutes after ten since when it is ready. */
  readonly ready?: number;
  readonly restarts?: number;
  readonly created?: number;
  readonly leaving?: boolean;
}
const minute = (minutes: number) => `2026-03-01T10:${String(minutes).padStart(2, '0')}:00Z`;

const pod = (name: string, { phase = 'Running', ready, restarts = 0, created = 0, leaving }: Traits): Pod =>
  ({
    metadata: {
      name,
      creationTimestamp: minute(created),
      ...(leaving ? { deletionTimestamp: minute(59) } : {}),
    },
    spec: { nodeName: phase === 'Pending' ? undefined : 'node-11' },
    status: {
      phase,
      conditions: [
        ready === undefined
          ? { type: 'Ready', status: 'False' }
          : { type: 'Ready', status: 'True', lastTransitionTime: minute(ready) },
      ],
      containerStatuses: [{ restartCount: restarts }],
    },
  }) as unknown as Pod;
const chosen = (...pods: readonly Pod[]) => choosePod(pods)?.metadata.name;

// Source: kubectl/pkg/util/podutils/podutils.go, ActivePods
describe('of several pods of a workload', () => {
  it('the one is chosen that is most able to serve', () => {
    expect(chosen(pod('waits', { phase: 'Pending' }), pod('runs', {}))).toBe('runs');
    expect(chosen(pod('ended', { phase: 'Succeeded' }), pod('runs', {}))).toBe('runs');
    expect(chosen(pod('unready', {}), pod('ready', { ready: 9 }))).toBe('ready');
    expect(chosen(pod('late', { ready: 9 }), pod('early', { ready: 3 }))).toBe('early');
    expect(chosen(pod('often', { ready: 3, restarts: 4 }), pod('once', { ready: 3, restarts: 1 }))).toBe(
      'once',
    );
    expect(chosen(pod('young', { created: 5 }), pod('old', { created: 1 }))).toBe('old');
    expect(chosen(pod('leaves', { ready: 1, leaving: true }), pod('stays', { ready: 9 }))).toBe('stays');
  });

  it('none is chosen of none, and the only one of one', () => {
    expect(choosePod([])).toBeUndefined();
    expect(chosen(pod('only', { phase: 'Failed' }))).toBe('only');
  });
});
