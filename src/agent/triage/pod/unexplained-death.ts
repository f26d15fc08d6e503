import { seriesName } from '../citation.ts';
import { describePod, previousLog } from '../next-step.ts';
import { containersOf } from '../pod-evidence.ts';
import { rfc3339 } from '../words.ts';
import { healthy, type PodFailureOf } from './pod-failure.ts';

/**
 * A container is down whose life nobody recorded, as before podvitals came: its status says how, not why. One that ended
 * because it was to leave, with all of its pod, is no trouble.
 */
export const unexplainedDeath: PodFailureOf = (pod) => {
  for (const { name, status } of containersOf(pod)) {
    const end = status?.state.terminated ?? (status?.state.waiting ? status.lastState.terminated : undefined);
    if (!end || (end.exitCode === 0 && status?.state.waiting?.reason !== 'CrashLoopBackOff')) continue;
    const life = pod.lives.findLast(({ container }) => container === name);
    if (life?.containerId === end.containerID && life.verdict.cause === 'None')
      return healthy(life.verdict.summary, life.verdict.evidence);
    return {
      cause: 'Unknown',
      confidence: 'unknown',
      summary: `Container ${name} ended with code ${end.exitCode} (${end.reason}); what is missing is the record of that life: its log, its vital signs and who ended it.`,
      evidence: [
        {
          fact: `container ${name} ended with code ${end.exitCode} (${end.reason})`,
          source: seriesName('kube_pod_container_status_last_terminated_exitcode', pod.view.ref, name),
          at: rfc3339(Date.parse(end.finishedAt)),
        },
      ],
      next: [previousLog(pod.view.ref, name), describePod(pod.view.ref, 'see its state and recent events')],
    };
  }
  return undefined;
};
