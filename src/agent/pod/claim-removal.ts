import type { CancelTimer, Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { KeyValue } from './key-value.ts';
import type { Stored } from './object-store.ts';
import { isRunning, type PodRecord } from './pod-record.ts';
import type { PodSet } from './pod-set.ts';
import type { Runtime } from './runtime/runtime.ts';
import { isTerminal } from './status/phase.ts';
import { claimsOf } from './workload/claim-retention.ts';
import { parseIndexes } from './workload/job-index.ts';
import { claimDeleted, type WorkloadWords } from './workload/workload-event.ts';
import type { WriteBehind } from './write-behind.ts';

/**
 * Removes the data of claims whose owner said that they go with it: durable from the moment that is decided, and done
 * when no pod that used them then is left. Source: kubernetes/pkg/controller/volume/pvcprotection
 */
export interface ClaimRemoval {
  condemn(owner: Stored, claims: readonly string[]): void;
  /** Those that go with a set that is deleted. */
  condemnOwned(set: Stored<'StatefulSet'>): void;
  /**
   * As the runtime's; data that are to go are gone before they are made anew.
   * @throws CodedError `FailedMount` while a pod of before uses them.
   */
  persistentVolume: Runtime['persistentVolume'];
  /** The pods of the agent before are known. */
  start(): void;
  /** Pods went. */
  look(): void;
  close(): void;
}

/** Uids of the pods that used a claim when it was given up. */
interface Condemned {
  readonly users: readonly string[];
}

const PREFIX = 'pod/condemned-claims/';
const RETRY_MS = 10_000;

export function createClaimRemoval(options: {
  readonly clock: Clock;
  readonly keyValue: KeyValue;
  readonly writer: WriteBehind;
  readonly pods: Pick<PodSet, 'all'>;
  readonly runtime: Pick<Runtime, 'persistentVolume' | 'removePersistentVolume'>;
  /** An event of the owner. */
  readonly tell: (owner: Stored, words: WorkloadWords) => void;
  readonly onError: (error: unknown) => void;
}): ClaimRemoval {
  const { clock, writer, pods, runtime } = options;
  const condemned = new Map(
    options.keyValue
      .entries(PREFIX)
      .map(([key, value]) => [key.slice(PREFIX.length), value as Condemned] as const),
  );
  const underWay = new Map<string, Promise<void>>();
  let cancel: CancelTimer = () => {};
  // Before all pods are known, a claim only seems to be used by nobody.
  let open = false;

  const isUsed = ({ users }: Condemned) =>
    !open ||
    pods
      .all()
      .some(
        ({ ref, phase, containers }) =>
          users.includes(ref.uid) && (!isTerminal(phase) || containers.some(isRunning)),
      );

  async function remove(key: string): Promise<void> {
    const [namespace, claim] = key.split('/') as [string, string];
    await runtime.removePersistentVolume(namespace, claim);
    condemned.delete(key);
    await writer.remove(PREFIX + key);
  }

  /** Once at a time. */
  function removal(key: string): Promise<void> {
    const running = underWay.get(key) ?? remove(key).finally(() => underWay.delete(key));
    underWay.set(key, running);
    return running;
  }

  function look(): void {
    if (condemned.size === 0 || !open) return;
    for (const [key, entry] of condemned) {
      if (isUsed(entry) || underWay.has(key)) continue;
      removal(key).catch((error: unknown) => {
        options.onError(error);
        cancel();
        cancel = clock.setTimer(RETRY_MS, look, { unref: true });
      });
    }
  }

  function condemn(owner: Stored, claims: readonly string[]): void {
    const { namespace } = owner.metadata;
    for (const claim of claims) {
      const key = `${namespace}/${claim}`;
      const users = pods.all().filter(usersOf(namespace, claim));
      const entry = { users: users.map(({ ref }) => ref.uid) };
      condemned.set(key, entry);
      void writer.write(PREFIX + key, () => entry);
      options.tell(owner, claimDeleted(owner, claim));
    }
  }

  return {
    condemn,
    condemnOwned(set) {
      const ordinals = [...parseIndexes(set.claimOrdinals)];
      condemn(
        set,
        ordinals.flatMap((ordinal) => claimsOf(set, ordinal)),
      );
    },
    async persistentVolume(namespace, claim) {
      const key = `${namespace}/${claim}`;
      const entry = condemned.get(key);
      if (entry && isUsed(entry))
        throw new CodedError('FailedMount', `persistentvolumeclaim "${claim}" is being deleted`);
      if (entry) await removal(key);
      return runtime.persistentVolume(namespace, claim);
    },
    start() {
      open = true;
      look();
    },
    look,
    close() {
      open = false;
      cancel();
    },
  };
}

const usersOf =
  (namespace: string, claim: string) =>
  ({ ref, spec }: PodRecord) =>
    ref.namespace === namespace &&
    (spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === claim);
