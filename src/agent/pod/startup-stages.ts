import type { PodView } from './view.ts';

export interface StartupStage {
  readonly name: 'schedule' | 'pull' | 'init' | 'start' | 'ready';
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The stages of a pod's start-up that are over, in order. Each begins where the one before ended, so that together
 * they cover creation to first Ready without a gap.
 */
export function startupStages(startup: PodView['startup']): readonly StartupStage[] {
  const ends: readonly (readonly [StartupStage['name'], number | undefined])[] = [
    ['schedule', startup.scheduledAt],
    ['pull', startup.pulledAt],
    ['init', startup.initializedAt],
    ['start', startup.startedAt],
    ['ready', startup.readyAt],
  ];
  const stages: StartupStage[] = [];
  let startMs = startup.createdAt;
  for (const [name, end] of ends) {
    if (end === undefined) continue;
    const endMs = Math.max(startMs, end);
    stages.push({ name, startMs, endMs });
    startMs = endMs;
  }
  return stages;
}
