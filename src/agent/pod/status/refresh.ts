import { isRunning, type PodRecord } from '../pod-record.ts';
import type { PodTransition } from '../transition.ts';
import { podConditions } from './conditions.ts';
import { isInitialized, isTerminal, podPhase } from './phase.ts';

/** A start is judged when the pod becomes Ready, or as slow when this has gone by. */
export const SLOW_START_MS = 30_000;

/** When the pod's start will be judged slow; undefined once it is judged or cannot be any more. */
export function startJudgedAt(pod: PodRecord): number | undefined {
  if (pod.start || pod.foundRunning || pod.deletion || isTerminal(pod.phase)) return undefined;
  return pod.startup.createdAt + SLOW_START_MS;
}

/**
 * Brings phase, conditions, readiness and the stages of start-up in line with the containers, and says what changed.
 */
export function refreshStatus(pod: PodRecord, now: number): readonly PodTransition[] {
  const facts: PodTransition[] = [];
  const base = { at: now, pod: pod.ref };
  noteStages(pod, now, () => facts.push({ ...base, kind: 'pod-initialized' }));
  const phase = podPhase(pod);
  if (phase !== pod.phase) {
    pod.phase = phase;
    facts.push({ ...base, kind: 'phase', phase });
  }
  pod.conditions = podConditions(pod, phase, now);
  const ready = pod.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  if (ready !== pod.ready) {
    const first = ready && pod.startup.readyAt === undefined && !pod.foundRunning;
    pod.ready = ready;
    if (first) pod.startup.readyAt = now;
    facts.push({ ...base, kind: ready ? 'ready' : 'not-ready', first });
  }
  judgeStart(pod, now);
  return facts;
}

function noteStages(pod: PodRecord, now: number, onInitialized: () => void): void {
  const { startup } = pod;
  if (startup.initializedAt === undefined && pod.sandbox) {
    if (pod.containers.every((container) => !container.init || isInitialized(pod, container))) {
      startup.initializedAt = now;
      onInitialized();
    }
  }
  const apps = pod.containers.filter((container) => !container.init);
  if (startup.startedAt === undefined && apps.every(isRunning)) startup.startedAt = now;
}

function judgeStart(pod: PodRecord, now: number): void {
  const judgedAt = startJudgedAt(pod);
  if (judgedAt === undefined) return;
  const { readyAt } = pod.startup;
  if (readyAt !== undefined) pod.start = readyAt <= judgedAt ? 'good' : 'slow';
  else if (now >= judgedAt) pod.start = 'slow';
}
