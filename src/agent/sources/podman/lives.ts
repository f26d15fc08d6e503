import type { KillRequest } from '../../../model/life.ts';
import type { PodmanEvent } from '../../engines/podman/event-stream.ts';
import { judgeDeath } from './death-request.ts';

/** What is accounted for of one container; durable. */
export interface LifeMemory {
  readonly alive: boolean;
  /** When the newest life began, milliseconds; absent: none was seen. */
  readonly startedMs?: number;
  /** Begun by an inspection: the event of that start may still come. */
  readonly unconfirmed?: boolean;
  /** Events up to here are accounted for, nanoseconds. */
  readonly seenNano: number;
  /** Since when inspection and events do not agree, milliseconds. */
  readonly disagreeMs?: number;
}

/** What an inspection found of its lives. */
export interface FoundLife {
  readonly alive: boolean;
  readonly startedMs?: number;
  readonly finishedMs?: number;
  readonly exitCode: number;
}

export type LifeFact =
  | { readonly kind: 'started'; readonly atMs: number }
  | {
      readonly kind: 'died';
      readonly atMs: number;
      /** Absent: it was over before anybody looked, and Podman has forgotten. */
      readonly exitCode?: number;
      readonly request: KillRequest | null;
    };

export interface LifeEvidence {
  readonly events: readonly PodmanEvent[];
  readonly podEvents: readonly PodmanEvent[];
  /** Undefined: the container is gone. Not older than the events. */
  readonly found: FoundLife | undefined;
  readonly autoRemove: boolean;
  readonly oomKilled: () => boolean;
  /** Nobody sent its first process a signal. */
  readonly untouched: () => boolean;
  readonly nowMs: number;
}

export interface LifeJudgement {
  readonly memory: LifeMemory;
  readonly facts: readonly LifeFact[];
  /** Something is open: look again then. */
  readonly lookAgainMs?: number;
}

/** How long events may lag behind what an inspection shows, before the inspection alone counts. */
const LAG_MS = 3000;
const LOOK_AGAIN_MS = 200;
const CONFIRM_MS = 10_000;

/**
 * What happened to a container since it was looked at last: its events in order, held against an inspection that is not
 * older. Events tell each death with its code; the inspection notices what no event told, once they had time to come.
 * Each life is told to begin once and to end once, however often and in whatever portions its evidence comes.
 */
export function judgeLives(before: LifeMemory, evidence: LifeEvidence): LifeJudgement {
  const walked = walkEvents(before, evidence);
  return walked.lookAgainMs === undefined ? compareWithFound(walked, evidence) : walked;
}

function walkEvents(before: LifeMemory, evidence: LifeEvidence): LifeJudgement {
  const facts: LifeFact[] = [];
  let memory = before;
  for (const event of evidence.events) {
    if (event.nano <= before.seenNano) continue;
    const atMs = Math.floor(event.nano / 1e6);
    const late = memory.startedMs !== undefined && atMs < memory.startedMs;
    if (event.action === 'start' && !late) {
      if (memory.unconfirmed && atMs - memory.startedMs! < CONFIRM_MS) {
        memory = { ...memory, unconfirmed: false };
      } else {
        if (memory.alive) facts.push({ kind: 'died', atMs, request: null });
        facts.push({ kind: 'started', atMs });
        memory = { alive: true, startedMs: atMs, seenNano: event.nano };
      }
    }
    if (event.action === 'died' && memory.alive && !late) {
      const { request, decided } = judgeDeath({
        died: event,
        startedNano: (memory.startedMs ?? 0) * 1e6,
        events: evidence.events,
        podEvents: evidence.podEvents,
        autoRemove: evidence.autoRemove,
        oomKilled: event.exitCode === 137 && evidence.oomKilled(),
        untouched: evidence.untouched,
        nowMs: evidence.nowMs,
      });
      if (!decided) return { memory, facts, lookAgainMs: LOOK_AGAIN_MS };
      facts.push({
        kind: 'died',
        atMs,
        ...(event.exitCode === undefined ? {} : { exitCode: event.exitCode }),
        request,
      });
      memory = { ...memory, alive: false };
    }
    memory = { ...memory, seenNano: event.nano };
  }
  return { memory, facts };
}

function compareWithFound({ memory, facts }: LifeJudgement, evidence: LifeEvidence): LifeJudgement {
  const { found, nowMs } = evidence;
  const missed = missedFacts(memory, found, nowMs);
  if (missed.length === 0) {
    const { disagreeMs: _, ...agreed } = memory;
    return { memory: agreed, facts };
  }
  const disagreeMs = memory.disagreeMs ?? nowMs;
  // At first sight there is nothing that events could add.
  const first = memory.startedMs === undefined && !memory.alive;
  if (!first && nowMs - disagreeMs < LAG_MS)
    return { memory: { ...memory, disagreeMs }, facts, lookAgainMs: LOOK_AGAIN_MS };
  const { disagreeMs: _, ...agreed } = memory;
  const startedMs = found?.startedMs ?? memory.startedMs;
  return {
    memory: {
      ...agreed,
      alive: found?.alive ?? false,
      ...(startedMs === undefined ? {} : { startedMs }),
      unconfirmed: true,
    },
    facts: [...facts, ...missed],
  };
}

/** What must have happened for the container to be as it was found. */
function missedFacts(memory: LifeMemory, found: FoundLife | undefined, nowMs: number): readonly LifeFact[] {
  const known = memory.startedMs;
  if (found === undefined) return memory.alive ? [{ kind: 'died', atMs: nowMs, request: null }] : [];
  const newer = found.startedMs !== undefined && (known === undefined || found.startedMs > known);
  if (newer) {
    const { startedMs, finishedMs } = found;
    const ended = known !== undefined && finishedMs !== undefined && finishedMs >= known;
    return [
      ...(memory.alive
        ? [
            {
              kind: 'died',
              atMs: Math.min(ended ? finishedMs : startedMs!, startedMs!),
              request: null,
            } as const,
          ]
        : []),
      { kind: 'started', atMs: startedMs! },
      ...(found.alive
        ? []
        : [
            {
              kind: 'died',
              atMs: Math.max(finishedMs ?? nowMs, startedMs!),
              exitCode: found.exitCode,
              request: null,
            } as const,
          ]),
    ];
  }
  if (!memory.alive || found.alive) return [];
  return [
    {
      kind: 'died',
      atMs: Math.max(found.finishedMs ?? nowMs, known ?? 0),
      exitCode: found.exitCode,
      request: null,
    },
  ];
}
