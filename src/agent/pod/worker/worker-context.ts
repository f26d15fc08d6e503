import type { Clock } from '../../../util/clock.ts';
import type { PodRecord } from '../pod-record.ts';
import type { ProbeRunner } from '../prober/probe.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { NodeFacts } from '../spec/field-ref.ts';
import type { HostEntry } from '../spec/hosts-file.ts';
import type { References } from '../spec/references.ts';
import type { PodTransition } from '../transition.ts';
import type { WriteBehind } from '../write-behind.ts';
import type { HookRunner } from './lifecycle-hook.ts';
import type { RestartBackOff } from './restart-back-off.ts';

/** What every pod's worker is given. */
export interface WorkerContext {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly node: NodeFacts;
  readonly backOff: RestartBackOff;
  readonly runProbe: ProbeRunner;
  readonly runHook: HookRunner;
  readonly writer: WriteBehind;
  /** Keys the hashes of configurations. */
  readonly salt: string;
  /** When this agent began, to spread probes of what it found running. */
  readonly agentStartedAt: number;
  references(namespace: string): References;
  /** Where the data of claims are. */
  readonly claims: Pick<Runtime, 'persistentVolume'>;
  /** Names of Services that pods of a namespace find in their /etc/hosts; absent: none. */
  readonly serviceHosts?: (namespace: string) => readonly HostEntry[];
  emit(transition: PodTransition): void;
  /** What workloads count may have changed, as of `at`. */
  onChange(pod: PodRecord, at: number): void;
  onRemoved(pod: PodRecord): Promise<void>;
  onError(error: unknown): void;
}

export const podKey = (uid: string) => `pod/pods/${uid}`;
