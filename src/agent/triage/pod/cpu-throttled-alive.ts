import type { Container } from '../../../model/kubernetes.ts';
import { seriesName } from '../citation.ts';
import { probeOf } from '../listening.ts';
import { manifestOf, query } from '../next-step.ts';
import { containersOf, type PodEvidence } from '../pod-evidence.ts';
import { duration, rfc3339 } from '../words.ts';
import type { PodFailureOf } from './pod-failure.ts';

const HARMFUL_RATIO = 0.5;
const ALWAYS_RATIO = 0.8;
const START_MS = 30_000;
// One slow answer is a busy moment of the node.
const SLOW_IN_A_ROW = 3;
const KINDS = ['liveness', 'readiness'] as const;

/**
 * It runs, and its CPU limit holds it back: its probes are answered slowly. Throttling that its probes do not feel is a
 * limit at work; where there are no probes to tell, only being throttled nearly all the time counts.
 */
export const cpuThrottledAlive: PodFailureOf = (pod) => {
  for (const { name, spec, status } of containersOf(pod)) {
    const ratio = pod.throttled?.get(name);
    const since = Date.parse(status?.state.running?.startedAt ?? '');
    if (ratio === undefined || Number.isNaN(since) || pod.now - since < START_MS) continue;
    const slow = slowAnswer(pod, name, spec);
    const silent = KINDS.every((kind) => probeOf(spec, kind) === undefined);
    if (slow === undefined ? !silent || ratio < ALWAYS_RATIO : ratio < HARMFUL_RATIO) continue;
    const cpu = spec.resources?.limits?.cpu;
    return {
      cause: 'CpuThrottled',
      confidence: 'likely',
      summary: `Container ${name} runs, and its CPU limit${cpu === undefined ? '' : ` of ${cpu}`} holds it back: it is throttled in ${Math.round(ratio * 100)}% of the CPU periods${slow === undefined ? '' : `, and answers its ${slow.probe} probe only after ${duration(slow.latencyMs)}`}.`,
      evidence: [
        {
          fact: `it was throttled in ${Math.round(ratio * 100)}% of the CPU periods of the last seconds`,
          source: seriesName('container_cpu_cfs_throttled_periods_total', pod.view.ref, name),
          at: rfc3339(pod.now),
        },
      ],
      next: [
        query(
          `rate(${seriesName('container_cpu_usage_seconds_total', pod.view.ref, name)}[2m])`,
          'see how much CPU it uses against its limit',
        ),
        manifestOf(pod.view.ref, 'raise or remove resources.limits.cpu, or let it do less'),
      ],
    };
  }
  return undefined;
};

/** The last of several good answers in a row that each took more than half of the time its probe allows. */
function slowAnswer({ probes }: PodEvidence, name: string, spec: Container) {
  const good = (probes.get(name) ?? []).filter(({ ok, late, probe }) => ok && !late && probe !== 'startup');
  const newest = good.slice(-SLOW_IN_A_ROW);
  const isSlow = newest.every(
    ({ probe, latencyMs }) => latencyMs > ((probeOf(spec, probe)?.timeoutSeconds ?? 1) * 1000) / 2,
  );
  return newest.length === SLOW_IN_A_ROW && isSlow ? newest.at(-1) : undefined;
}
