import type { PodEvent } from '../../model/event.ts';
import type { Life, LogLine, OomKill } from '../../model/life.ts';
import type { PodTransition } from '../pod/transition.ts';
import type { PodView } from '../pod/view.ts';
import type { Death, EndedLife } from '../triage/death.ts';
import { diagnoseDeath } from '../triage/diagnose-death.ts';
import type { FlightRecord } from './flight-recorder.ts';
import { logTail } from './log-tail.ts';
import { recordId } from './record-id.ts';

export type ContainerDied = Extract<PodTransition, { readonly kind: 'container-died' }>;

const SIGKILL = 9;

export interface Remains {
  readonly log: readonly LogLine[];
  readonly flight: FlightRecord;
  readonly oomKills: readonly OomKill[];
  readonly earlier: readonly Life[];
  readonly well?: Death['well'];
  readonly view: PodView | undefined;
  /** How far the node's clock is ahead; absent: not known. */
  readonly clockOffsetSeconds?: number | undefined;
}

/** The record of a life that has ended, with its verdict. */
export function toLife(death: ContainerDied, remains: Remains): Life {
  const { log, flight, earlier, view } = remains;
  const life: EndedLife = {
    id: recordId(death.pod.uid, death.container, death.attempt, 'Life'),
    pod: death.pod,
    container: death.container,
    init: death.init,
    attempt: death.attempt,
    containerId: death.containerId,
    config: death.config,
    startedAt: death.startedAt,
    finishedAt: death.finishedAt,
    exitCode: death.exitCode,
    ...(death.signal === undefined ? {} : { signal: death.signal }),
    reason: death.reason,
    killRequest: death.killRequest,
    unrequested: death.unrequested,
    oomKills: withUnseenKills(death, remains.oomKills),
    log: logTail(log),
    vitals: flight.vitals,
    probes: flight.probes,
    ...flight.network,
    ...(flight.fault ? { fault: flight.fault } : {}),
    ...(remains.clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds: remains.clockOffsetSeconds }),
    ...(flight.denial ? { denial: flight.denial } : {}),
    ...(flight.sender ? { sender: flight.sender } : {}),
    listening: flight.listening ?? [],
  };
  const spec = view?.object.spec;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const own = containers.find(({ name }) => name === death.container);
  const user = own?.securityContext?.runAsUser ?? spec?.securityContext?.runAsUser;
  const verdict = diagnoseDeath({
    // A kill without a pid is one that was only counted: triage must not take a guess for a victim's record.
    life: { ...life, oomKills: remains.oomKills.filter(({ pid }) => pid !== undefined) },
    ...counted(death, remains.oomKills),
    earlier,
    ...(remains.well ? { well: remains.well } : {}),
    ...(own ? { spec: own } : {}),
    ...(user === undefined ? {} : { user }),
    restartPolicy: spec?.restartPolicy ?? 'Always',
  });
  return { ...life, verdict };
}

/** The count at the exit, or what was counted while it lived; absent: neither could be read. */
function counted(
  { oomKills }: ContainerDied,
  seen: readonly OomKill[],
): { readonly oomKillsCounted?: number } {
  if (oomKills === undefined && seen.length === 0) return {};
  return { oomKillsCounted: Math.max(oomKills ?? 0, seen.length) };
}

/** The counter may know of more kills than the kernel's log told; the last one ended a container that got SIGKILL. */
function withUnseenKills(death: ContainerDied, seen: readonly OomKill[]): readonly OomKill[] {
  const unseen = Math.min(100, Math.max(0, (death.oomKills ?? 0) - seen.length));
  const ended =
    death.signal === SIGKILL && death.killRequest === null && !seen.some((kill) => kill.mainProcess);
  return [
    ...seen,
    ...Array.from({ length: unseen }, (_, index) => ({
      at: death.finishedAt,
      mainProcess: ended && index === unseen - 1,
    })),
  ];
}

/** The death as an event: how it ended, and why as far as it is known. */
export function diedEvent(life: Life): PodEvent {
  const { verdict, killRequest } = life;
  const seconds = ((life.finishedAt - life.startedAt) / 1000).toFixed(1);
  const asked = killRequest ? `: asked for by ${killRequest.by} (${killRequest.message.slice(0, 200)})` : '';
  const why = verdict.cause === 'None' ? asked : `: ${verdict.cause}`;
  return {
    id: recordId(life.pod.uid, life.container, life.attempt, 'Died'),
    at: life.finishedAt,
    pod: life.pod,
    container: life.container,
    attempt: life.attempt,
    type: life.unrequested ? 'Warning' : 'Normal',
    reason: 'Died',
    message: `Container ${life.container} ended with code ${life.exitCode} (${life.reason}) after ${seconds} s${why}`,
    details: {
      exitCode: life.exitCode,
      ...(life.signal === undefined ? {} : { signal: life.signal }),
      reason: life.reason,
      unrequested: life.unrequested,
      cause: verdict.cause,
      confidence: verdict.confidence,
      life: life.id,
    },
  };
}
