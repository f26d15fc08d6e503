import { describe, expect, it } from 'vitest';
import type { Death } from '../../../src/agent/triage/death.ts';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { Container } from '../../../src/model/kubernetes.ts';
import type { Life, ProbeResult } from '../../../src/model/life.ts';
import { CONFIG, START } from '../events/story.ts';
import { deathOf } from './death-story.ts';

const TIMED_OUT = 'Get "http://10.137.0.2:8080/": context deadline exceeded';
const REFUSED = 'Get "http://10.137.0.2:8080/": dial tcp 10.137.0.2:8080: connect: connection refused';

const answers = (...results: readonly Partial<ProbeResult>[]): readonly ProbeResult[] =>
  results.map((result, index) => ({
    at: START + 1000 * (index + 1),
    probe: 'liveness',
    ok: false,
    target: 'GET http://10.137.0.2:8080/',
    message: TIMED_OUT,
    latencyMs: 1000,
    ...result,
  }));
const good = (latencyMs = 11): Partial<ProbeResult> => ({ ok: true, message: '', latencyMs });

interface Story {
  readonly kind?: 'liveness' | 'startup';
  readonly probes: readonly ProbeResult[];
  readonly ports?: readonly number[];
  readonly life?: Partial<Death['life']>;
  readonly spec?: Partial<Container>;
  readonly earlier?: readonly Life[];
}

function verdictOf({ kind = 'liveness', probes, ports = [8080], life = {}, spec = {}, earlier = [] }: Story) {
  return diagnoseDeath(
    deathOf({
      spec: {
        name: 'cart',
        livenessProbe: { httpGet: { path: '/', port: 8080 } },
        ...(kind === 'startup' ? { startupProbe: { httpGet: { path: '/', port: 8080 } } } : {}),
        ...spec,
      },
      earlier,
      life: {
        attempt: earlier.length,
        exitCode: 137,
        signal: 9,
        finishedAt: START + 20_000,
        killRequest: {
          by: 'probe',
          message: `Container cart failed ${kind} probe, will be restarted`,
          at: START + 19_000,
        },
        probes: probes.map((result) => ({ ...result, probe: kind })),
        listening: ports.map((port) => ({ address: '0.0.0.0', port })),
        ...life,
      },
    }),
  );
}

describe('a kill by a liveness probe is', () => {
  for (const message of [
    'setpriv: failed to execute shop-health: No such file or directory',
    'sh: 1: exec: shop-health: not found',
    'OCI runtime exec failed: exec failed: exec: "shop-health": executable file not found in $PATH',
  ]) {
    it(`LivenessProbeWrong where its command does not exist: ${message.slice(0, 40)}`, () => {
      const probes = answers({ message, target: 'exec shop-health --quick' });
      expect(verdictOf({ probes })).toMatchObject({ cause: 'LivenessProbeWrong', confidence: 'certain' });
    });
  }
  it('LivenessProbeWrong where the program listens on another port', () => {
    const verdict = verdictOf({ probes: answers({ message: REFUSED }, { message: REFUSED }), ports: [3000] });
    expect(verdict.cause).toBe('LivenessProbeWrong');
    expect(verdict.summary).toContain('nothing listens on port 8080, the pod listens on port 3000');
  });
  it('LivenessProbeWrong where only the life before it was seen to listen elsewhere', () => {
    const before: Life = {
      ...deathOf({ life: { id: 'life-10', listening: [{ address: '0.0.0.0', port: 3000 }] } }).life,
      verdict: verdictOf({ probes: answers({ message: REFUSED }), ports: [3000] }),
    };
    const verdict = verdictOf({ probes: answers({ message: REFUSED }), ports: [], earlier: [before] });
    expect(verdict).toMatchObject({ cause: 'LivenessProbeWrong', confidence: 'certain' });
    expect(verdict.evidence.map(({ source }) => source)).toContain('life-10');
  });
  it('LivenessProbeWrong where the program does not know the path, or speaks another scheme', () => {
    for (const message of [
      'HTTP probe failed with statuscode: 404',
      'write EPROTO 40CD:SSL routines:wrong version number',
    ])
      expect(verdictOf({ probes: answers({ message }, { message }) }).cause).toBe('LivenessProbeWrong');
  });
  it('no LivenessProbeWrong once it succeeded in this life', () => {
    const probes = answers(good(), { message: 'HTTP probe failed with statuscode: 404' });
    expect(verdictOf({ probes }).cause).not.toBe('LivenessProbeWrong');
  });
  it('LivenessProbeTooStrict where a good answer came late', () => {
    const verdict = verdictOf({ probes: answers({}, { ...good(1900), late: true }, {}) });
    expect(verdict).toMatchObject({ cause: 'LivenessProbeTooStrict', confidence: 'certain' });
    expect(verdict.summary).toContain('after 1.9 s, and the probe waits 1 s');
  });
  it('LivenessProbeTooStrict where one failure among good answers was enough', () => {
    const spec = { livenessProbe: { httpGet: { path: '/', port: 8080 }, failureThreshold: 1 } };
    expect(verdictOf({ probes: answers(good(), good(), {}), spec }).cause).toBe('LivenessProbeTooStrict');
  });
  it('ApplicationHung where it answered, and then never again', () => {
    const verdict = verdictOf({ probes: answers(good(), {}, {}, {}) });
    expect(verdict).toMatchObject({ cause: 'ApplicationHung', confidence: 'certain' });
  });
  it('ApplicationHung for an endless loop at its CPU limit, which is throttled as well', () => {
    const vitals = [11, 12, 13].map((second) => ({
      at: START + second * 1000,
      cpuCores: 0.5,
      throttledRatio: 1,
    }));
    const life = { vitals, config: { ...CONFIG, cpuLimitCores: 0.5 } };
    expect(verdictOf({ probes: answers(good(), {}, {}, {}), life }).cause).toBe('ApplicationHung');
  });
  it('CpuThrottled where it answers at last, and was throttled while it worked', () => {
    const vitals = [
      ...[1, 2, 3, 4, 5].map((second) => ({ at: START + second * 1000, cpuCores: 0, throttledRatio: 0 })),
      ...[6, 7].map((second) => ({ at: START + second * 1000, cpuCores: 0.2, throttledRatio: 0.9 })),
    ];
    const life = { vitals, config: { ...CONFIG, cpuLimitCores: 0.2 } };
    const verdict = verdictOf({ probes: answers({}, { ...good(1400), late: true }, {}), life });
    expect(verdict).toMatchObject({ cause: 'CpuThrottled', failureMode: 'F11' });
    expect(verdict.summary).toContain('90% of the CPU periods');
  });
  it('StartupTooSlowForProbe where nothing listened yet', () => {
    const verdict = verdictOf({ probes: answers({ message: REFUSED }, { message: REFUSED }), ports: [] });
    expect(verdict).toMatchObject({ cause: 'StartupTooSlowForProbe', failureMode: 'F12' });
  });
});

it('a liveness probe that waited for a startup probe kills nobody who is still starting', () => {
  const spec = { startupProbe: { httpGet: { path: '/started', port: 8080 } } };
  const probes = answers({ message: REFUSED }, { message: REFUSED }, { message: REFUSED });
  expect(verdictOf({ probes, ports: [] }).cause).toBe('StartupTooSlowForProbe');
  expect(verdictOf({ probes, ports: [], spec }).cause).not.toBe('StartupTooSlowForProbe');
});

describe('a kill by a startup probe is', () => {
  it('StartupTooSlowForProbe where the program says that it is not there yet', () => {
    const probes = answers({ message: 'HTTP probe failed with statuscode: 503' });
    expect(verdictOf({ kind: 'startup', probes }).cause).toBe('StartupTooSlowForProbe');
  });
  it('StartupProbeWrong where only it asks the wrong port', () => {
    const spec = { startupProbe: { httpGet: { path: '/', port: 9090 } } };
    const probes = answers({ message: REFUSED });
    expect(verdictOf({ kind: 'startup', probes, spec }).cause).toBe('StartupProbeWrong');
    expect(verdictOf({ kind: 'startup', probes, ports: [3000] }).cause).toBe('LivenessProbeWrong');
  });
});
