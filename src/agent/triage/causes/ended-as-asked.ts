import type { KillRequest } from '../../../model/life.ts';
import { exitFact, ofLife, oomCounterFact } from '../citation.ts';
import { isMeantToRun, signalOf } from '../death.ts';
import { evictionCause } from '../eviction.ts';
import type { FailureOf } from '../failure.ts';
import { podEvents } from '../next-step.ts';
import { brief } from '../words.ts';

const ASKED: Readonly<Record<Exclude<KillRequest['by'], 'probe'>, string>> = {
  hook: 'its postStart hook failed',
  delete: 'its pod was deleted',
  rollout: 'a rollout replaced its pod',
  eviction: 'its pod was evicted',
  deadline: 'its pod had run longer than activeDeadlineSeconds',
  user: 'somebody asked for it',
  shutdown: 'the node shut down',
  'pod-failed': 'its pod was over',
};
const CAUSES: Readonly<Partial<Record<KillRequest['by'], string>>> = {
  hook: 'PostStartHookFailed',
  user: 'KilledByUser',
  deadline: 'DeadlineExceeded',
};
const SIGKILL = 9;

/** It ended because someone podvitals knows asked for it, or because its work was done: nothing is wrong with it. */
export const endedAsAsked: FailureOf = (death) => {
  const { life } = death;
  const { killRequest, container } = life;
  if (killRequest === null) {
    if (life.exitCode !== 0 || isMeantToRun(death)) return undefined;
    return {
      cause: 'None',
      confidence: 'certain',
      summary: `Container ${container} did its work and ended with code 0.`,
      evidence: [exitFact(death)],
      next: [],
    };
  }
  if (killRequest.by === 'probe' || life.oomKills.some(({ mainProcess }) => mainProcess)) return undefined;
  const killed = signalOf(death) === SIGKILL;
  const counter = killed ? oomCounterFact(death) : undefined;
  const shortage = killRequest.by === 'eviction' ? evictionCause(killRequest.message) : undefined;
  const why =
    killRequest.by === 'eviction' && shortage === undefined
      ? `its pod was asked to leave the node (${brief(killRequest.message, 160)})`
      : killRequest.by === 'rollout' && /^(?:Scaled down by|Job) /.test(killRequest.message)
        ? `its workload wants its pod no longer (${brief(killRequest.message, 160)})`
        : ASKED[killRequest.by];
  return {
    cause: shortage ?? CAUSES[killRequest.by] ?? 'None',
    confidence: 'certain',
    summary: `Container ${container} ended because ${why}${killed ? '; it did not end within its grace period and was killed, which is no OOM kill' : ''}.`,
    evidence: [
      exitFact(death),
      ofLife(
        death,
        `the kill was asked for by ${killRequest.by}: ${brief(killRequest.message, 160)}`,
        killRequest.at,
      ),
      ...(counter ? [counter] : []),
    ],
    next: [podEvents(life.pod, 'see what led to it')],
  };
};
