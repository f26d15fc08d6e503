import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { Container } from '../../../src/model/kubernetes.ts';
import type { KillRequest, ProbeResult, VitalFrame } from '../../../src/model/life.ts';
import { START } from '../events/story.ts';
import { type DeathStory, deathOf } from './death-story.ts';

const verdictOf = (story: DeathStory) => diagnoseDeath(deathOf(story));
const killed = { exitCode: 137, signal: 9 } as const;
const asked = (by: KillRequest['by'], message: string): KillRequest => ({ by, message, at: START + 19_000 });
const spec: Container = { name: 'cart', livenessProbe: { httpGet: { path: '/', port: 8080 } } };
const answer = (more: Partial<ProbeResult>): ProbeResult => ({
  at: START + 5000,
  probe: 'liveness',
  ok: false,
  target: 'GET http://10.137.0.2:8080/',
  message: 'Get "http://10.137.0.2:8080/": context deadline exceeded',
  latencyMs: 1000,
  ...more,
});
const frames = (frame: Partial<VitalFrame>): readonly VitalFrame[] =>
  Array.from({ length: 15 }, (_, second) => ({ at: START + second * 1000, cpuCores: 0.4, ...frame }));

describe('of facts that seem to contradict each other', () => {
  it('137 without an OOM kill is no OOM kill, whatever flag the engine set', () => {
    const verdict = verdictOf({ life: { ...killed, reason: 'OOMKilled' }, oomKillsCounted: 0 });
    expect(verdict.cause).toBe('TerminatedBySignal');
    expect(verdict.summary).toContain('no OOM kill');
  });

  it('OOMKilled with 143 on a drain is refuted: who asked is known', () => {
    const verdict = verdictOf({
      life: {
        exitCode: 143,
        signal: 15,
        reason: 'OOMKilled',
        killRequest: asked('shutdown', 'the node is drained'),
        unrequested: false,
      },
      oomKillsCounted: 2,
    });
    expect(verdict).toMatchObject({ cause: 'None', confidence: 'certain' });
  });

  for (const end of [killed, { exitCode: 143, signal: 15 } as const]) {
    it(`a liveness kill that shows ${end.exitCode} has its probe's story for its cause`, () => {
      const verdict = verdictOf({
        spec,
        life: {
          ...end,
          finishedAt: START + 20_000,
          killRequest: asked('probe', 'Container cart failed liveness probe, will be restarted'),
          probes: [
            answer({ at: START + 2000, ok: true, message: '', latencyMs: 10 }),
            answer({}),
            answer({}),
          ],
          listening: [{ address: '0.0.0.0', port: 8080 }],
        },
      });
      expect(verdict.cause).toBe('ApplicationHung');
    });
  }

  it('a log that says "out of memory" with exit 1 is not the kernel\'s', () => {
    const verdict = verdictOf({ log: 'FATAL: out of memory while sorting 17 rows' });
    expect(verdict.cause).toBe('AppError');
    expect(verdict.evidence.map(({ fact }) => fact).join()).toContain('no memory kill');
  });

  it('a kill the kernel counted is the cause, and what the log says last is not', () => {
    const log = 'Error: connect ECONNREFUSED 127.0.0.1:5432\nERROR retrying in 1 s';
    expect(verdictOf({ log, life: killed, oomKillsCounted: 1 })).toMatchObject({
      cause: 'OOMKilled',
      confidence: 'certain',
    });
  });

  it('a SIGSEGV of a first process is an abort where the kernel saw the C library end it', () => {
    const life = { exitCode: 139, signal: 11 };
    const aborted = { ...life, fault: { kind: 'general protection fault', file: 'libc.so.6' } };
    const faulted = { ...life, fault: { kind: 'segfault', file: 'libc.so.6' } };
    expect(verdictOf({ life: aborted })).toMatchObject({ cause: 'AbortedAssertion', confidence: 'likely' });
    expect(verdictOf({ life: faulted })).toMatchObject({ cause: 'SegmentationFault', confidence: 'certain' });
    expect(verdictOf({ life })).toMatchObject({ cause: 'SegmentationFault', confidence: 'likely' });
  });

  describe('a CPU that was waited for', () => {
    const late = (vitals: readonly VitalFrame[]) =>
      verdictOf({
        spec,
        life: {
          ...killed,
          finishedAt: START + 20_000,
          killRequest: asked('probe', 'Container cart failed liveness probe, will be restarted'),
          probes: [
            answer({ at: START + 2000, ok: true, message: '', latencyMs: 600 }),
            answer({ at: START + 9000 }),
            answer({ at: START + 10_000, ok: true, message: '', latencyMs: 2900, late: true }),
            answer({ at: START + 18_000 }),
          ],
          listening: [{ address: '0.0.0.0', port: 8080 }],
          vitals,
        },
      });
    it('is the work of a neighbour where its own limit did not hold it back', () => {
      expect(late(frames({ cpuStallRatio: 0.9 }))).toMatchObject({
        cause: 'NoisyNeighbour',
        failureMode: 'F11',
        confidence: 'likely',
      });
    });
    it('is its own limit where it was throttled: pressure includes throttling', () => {
      expect(late(frames({ cpuStallRatio: 0.9, throttledRatio: 0.9 })).cause).toBe('CpuThrottled');
    });
    it('is neither where there was enough: then the probe is too strict', () => {
      expect(late(frames({ cpuStallRatio: 0.1 })).cause).toBe('LivenessProbeTooStrict');
    });
  });
});
