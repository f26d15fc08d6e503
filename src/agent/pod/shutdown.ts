import type { PodRef } from '../../model/pod-ref.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { Listeners } from './listeners.ts';
import type { Deletion } from './object-deletion.ts';
import { isConfiguration } from './object-listing.ts';
import type { ObjectStore } from './object-store.ts';
import type { PodSet } from './pod-set.ts';
import type { PodTransition } from './transition.ts';
import { graceMsOf } from './worker/decision.ts';

// Beyond the grace of the slowest pod, so long none of them ends before stopping goes on without the rest.
const STOP_ALLOWANCE_MS = 10_000;
const STOP_ALLOWANCE_A_POD_MS = 100;

/**
 * Deletes all objects and pods. While one after another ends, the rest is waited for; resolves with the pods that could
 * not be ended.
 */
export async function endEverything(options: {
  readonly clock: Clock;
  readonly objects: ObjectStore;
  readonly pods: PodSet;
  readonly deletion: Deletion;
  readonly transitions: Listeners<PodTransition>;
}): Promise<readonly PodRef[]> {
  const { clock, objects, pods, deletion, transitions } = options;
  const ending = { request: { by: 'shutdown', message: 'The agent is shutting down' } } as const;
  const gone: Promise<unknown>[] = [];
  for (const object of objects.all()) {
    if (!isConfiguration(object) && objects.hasUid(object.metadata.uid))
      gone.push(deletion.object(object, ending));
  }
  for (const pod of pods.all()) gone.push(deletion.pod(pod, ending));
  const longest = Math.max(0, ...pods.all().map(graceMsOf));
  const patienceMs = longest + STOP_ALLOWANCE_MS + gone.length * STOP_ALLOWANCE_A_POD_MS;
  const stuck = Promise.withResolvers<void>();
  let cancel: CancelTimer = () => {};
  const wait = () => {
    cancel();
    cancel = clock.setTimer(patienceMs, stuck.resolve);
  };
  const forget = transitions.add(({ kind }) => {
    if (kind === 'container-died' || kind === 'pod-deleted') wait();
  });
  wait();
  await Promise.race([Promise.all(gone), stuck.promise]);
  forget();
  cancel();
  for (const { kind, metadata } of objects.all())
    await objects.remove(kind, metadata.namespace, metadata.name);
  return pods.all().map((pod) => pod.ref);
}
