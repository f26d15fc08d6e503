import { isRunning, type PodRecord } from '../pod-record.ts';
import type { ContainerExit, RunningContainer, Sandbox } from '../runtime/runtime.ts';
import { isTerminal } from '../status/phase.ts';
import type { ContainerWorker } from './container-worker.ts';

/** What an earlier agent left of one pod. */
export interface Inheritance {
  readonly sandbox: Sandbox | undefined;
  readonly running: readonly RunningContainer[];
  readonly exits: readonly ContainerExit[];
  /** When the earlier agent was last known to look. */
  readonly aliveAt: number;
}

/** A death that nobody saw; telling it counts it. */
export interface Unseen {
  readonly at: number;
  readonly tell: () => void;
}

type Containers = Pick<ContainerWorker, 'exited' | 'attach' | 'lost'>;

/**
 * The deaths nobody saw: those the runtime knows of, and containers that vanished without a trace. They are told
 * in order of time over all pods, so that what is integrated over time is right.
 */
export function unseenDeaths(pod: PodRecord, inheritance: Inheritance, containers: Containers): Unseen[] {
  const unseen: Unseen[] = inheritance.exits
    .filter((exit) => !isWritten(pod, exit))
    .map((exit) => ({ at: exit.finishedAt, tell: () => containers.exited(exit) }));
  for (const container of pod.containers) {
    const { life } = container;
    if (!isRunning(container) || !life) continue;
    if ([...inheritance.running, ...inheritance.exits].some((found) => idOf(found) === life.id)) continue;
    const at = Math.max(life.startedAt, inheritance.aliveAt);
    unseen.push({ at, tell: () => containers.lost(container, at) });
  }
  return unseen;
}

function isWritten(pod: PodRecord, exit: ContainerExit): boolean {
  const life = pod.containers.find(({ name }) => name === exit.name)?.life;
  if (!life) return false;
  return exit.attempt < life.attempt || (exit.attempt === life.attempt && life.end !== undefined);
}

const idOf = (found: RunningContainer | ContainerExit) => ('id' in found ? found.id : found.containerId);

/**
 * Takes over what still runs, also what was started but not written down. A pod whose sandbox is gone (a reboot)
 * begins again with its init containers, as the kubelet does.
 */
export function takeOver(pod: PodRecord, inheritance: Inheritance, containers: Containers): void {
  for (const running of inheritance.running) containers.attach(running);
  const lost = pod.sandbox !== undefined && inheritance.sandbox === undefined;
  // Made, and not written down: its files and its address were not seen to either. The worker does all of it again.
  const halfMade = pod.sandbox === undefined && inheritance.running.length === 0;
  pod.sandbox = halfMade ? undefined : inheritance.sandbox;
  if (!lost || isTerminal(pod.phase)) return;
  for (const container of pod.containers) if (container.init) container.rerun = true;
}
