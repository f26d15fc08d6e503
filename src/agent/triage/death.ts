import type { Container, PodSpec } from '../../model/kubernetes.ts';
import type { Life, LifeConfig } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';

/** A life whose verdict is not known yet. */
export type EndedLife = Omit<Life, 'verdict'>;

/** All that is known about one death of a container: the only input of its diagnosis. */
export interface Death {
  readonly life: EndedLife;
  /** OOM kills the kernel counted in this life, children included; absent: the counter could not be read. */
  readonly oomKillsCounted?: number;
  /** Lives of the same container before this one, oldest first, with their verdicts. May be empty. */
  readonly earlier: readonly Life[];
  /** The container as the manifest has it; absent when it is not known any more. */
  readonly spec?: Container;
  /** The same container of another pod of its workload, which is well: what a rollout replaces. */
  readonly well?: { readonly config: LifeConfig; readonly pod: PodRef; readonly startedAt: number };
  /** The user its manifest names; absent: it names none, or is not known any more. */
  readonly user?: number;
  readonly restartPolicy: NonNullable<PodSpec['restartPolicy']>;
}

/** How long it lived, in milliseconds. */
export const livedMs = ({ life }: Death): number => Math.max(0, life.finishedAt - life.startedAt);

/** 128 + signal and the signal itself are the same death; engines report one or the other. */
export function signalOf({ life }: Death): number | undefined {
  if (life.signal !== undefined) return life.signal;
  return life.exitCode > 128 && life.exitCode <= 128 + 64 ? life.exitCode - 128 : undefined;
}

/** Whether the container is meant to run for ever: an end with 0 is then an end too early. */
export function isMeantToRun({ life, restartPolicy, spec }: Death): boolean {
  return life.init ? spec?.restartPolicy === 'Always' : restartPolicy === 'Always';
}
