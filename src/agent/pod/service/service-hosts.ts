import type { ObjectStore } from '../object-store.ts';
import type { PodRecord } from '../pod-record.ts';
import type { PodSet } from '../pod-set.ts';
import type { HostEntry } from '../spec/hosts-file.ts';
import { serviceNames } from './service-names.ts';
import type { ServicePublisher } from './service-publisher.ts';

/** Keeps the names of Services in every pod's /etc/hosts in line with the pods that serve. */
export interface ServiceHosts {
  of(namespace: string): readonly HostEntry[];
  podChanged(pod: PodRecord): void;
  podGone(pod: PodRecord): void;
  servicesChanged(): void;
  /** Services have other addresses of their own than before. */
  addressesChanged(): void;
}

export function createServiceHosts(options: {
  readonly objects: Pick<ObjectStore, 'list'>;
  readonly pods: Pick<PodSet, 'visible' | 'worker' | 'isHidden'>;
  readonly publisher: Pick<ServicePublisher, 'addressOf' | 'isPending' | 'update'>;
  readonly onError: (error: unknown) => void;
}): ServiceHosts {
  const { pods, publisher } = options;
  /** What of a pod a name depends on, by uid; and what each namespace was last told. */
  const known = new Map<string, string>();
  const told = new Map<string, string>();
  let dirty = false;

  const of = (namespace: string) =>
    serviceNames(options.objects.list('Service'), pods.visible(), namespace, publisher);

  function update(): void {
    dirty = false;
    publisher.update();
    write();
  }

  function write(): void {
    for (const [namespace, members] of Map.groupBy(pods.visible(), ({ ref }) => ref.namespace)) {
      const text = JSON.stringify(of(namespace));
      if (told.get(namespace) === text) continue;
      told.set(namespace, text);
      for (const { ref } of members) {
        try {
          pods.worker(ref.uid)?.updateHosts();
        } catch (error) {
          options.onError(error);
        }
      }
    }
  }

  function soon(): void {
    if (dirty) return;
    dirty = true;
    queueMicrotask(update);
  }

  return {
    of,
    podChanged(pod) {
      const hidden = pods.isHidden(pod.ref.uid);
      const face = JSON.stringify([
        pod.ready,
        pod.podIp,
        pod.deletion !== undefined || hidden,
        pod.phase,
        pod.labels,
      ]);
      if (known.get(pod.ref.uid) === face) return;
      known.set(pod.ref.uid, face);
      soon();
    },
    podGone({ ref }) {
      known.delete(ref.uid);
      soon();
    },
    servicesChanged: soon,
    addressesChanged: write,
  };
}
