import type { Node } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import { createClaimRemoval } from './claim-removal.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { KeyValue } from './key-value.ts';
import { createListeners } from './listeners.ts';
import type { ManifestObject } from './manifest/manifest-object.ts';
import { type AppliedObject, createManifestApplication } from './manifest-application.ts';
import { newPod } from './new-pod.ts';
import type { NodeSettings } from './node/node-keeper.ts';
import type { HostFacts } from './node/node-object.ts';
import { createNodePlace, type NodeMeasures, type NodePlace } from './node/node-place.ts';
import { defaultNodeSettings } from './node/node-settings.ts';
import { withPriority } from './node/priority.ts';
import { createDeletion, type Ending } from './object-deletion.ts';
import { createObjectListing } from './object-listing.ts';
import { createObjectStore, type Stored, type StoredKind } from './object-store.ts';
import { admitPod } from './pod-admission.ts';
import { apiTime, isRunning, type PodRecord } from './pod-record.ts';
import { createPodSet } from './pod-set.ts';
import type { ProbeRunner } from './prober/probe.ts';
import { createProbeRunner } from './prober/probe-runner.ts';
import { createRecentViews } from './recent-views.ts';
import type { Runtime } from './runtime/runtime.ts';
import { createServiceHosts } from './service/service-hosts.ts';
import { createServicePublisher } from './service/service-publisher.ts';
import { endEverything } from './shutdown.ts';
import type { NodeFacts } from './spec/field-ref.ts';
import { podView } from './status/pod-view.ts';
import { takeOver } from './takeover.ts';
import type { PodTransition } from './transition.ts';
import type { PodView, WorkloadView } from './view.ts';
import { createHookRunner } from './worker/lifecycle-hook.ts';
import type { PodVerb } from './worker/pod-control.ts';
import { KUBELET_BACK_OFF, type RestartBackOff } from './worker/restart-back-off.ts';
import { podKey, type WorkerContext } from './worker/worker-context.ts';
import { createControllers } from './workload/controllers.ts';
import { controllerOf, ownerReference } from './workload/owner.ts';
import { randomUid } from './workload/pod-names.ts';
import { changedWorkload, undoTarget, type WorkloadChange } from './workload/workload-change.ts';
import { rolledBack, type WorkloadEvent, type WorkloadWords } from './workload/workload-event.ts';
import { desiredPods, hasWorkload, workloadObject, workloadOf } from './workload/workload-identity.ts';
import { createWorkloads } from './workload/workloads.ts';
import { createWriteBehind } from './write-behind.ts';

export interface PodManagerOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Under `pod/`; holds Secrets, so it must be readable by the agent alone. */
  readonly keyValue: KeyValue;
  readonly node: NodeFacts;
  /** What the node says of itself; what is left out is not told. */
  readonly host?: Partial<HostFacts>;
  /** The operator's; the kubelet's defaults when left out. */
  readonly nodeSettings?: NodeSettings;
  /** What the node decides by: its signals and its pods' usage; without them nobody is evicted. */
  readonly measures?: NodeMeasures;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** The kubelet's when left out. */
  readonly backOff?: RestartBackOff;
  /** Real probes when left out. */
  readonly runProbe?: ProbeRunner;
  /** Failures nobody can be told of otherwise: an effect that will be tried again, a listener that threw. */
  readonly onError?: (error: unknown) => void;
}

export interface DeleteRequest extends Ending {
  readonly kind: KubernetesObject['kind'];
  readonly namespace: string;
  readonly name: string;
}

export interface PodManager {
  /** Takes over what an earlier agent left, counts included. Call it once, before anything else. */
  start(): Promise<void>;
  /**
   * Applies objects of manifests, in any order; all or nothing is refused. `folder` is that of the manifest: host
   * containers start there. Applying the same again changes nothing.
   * @throws CodedError `POD_IMMUTABLE`, `POD_TERMINATING`, `POD_OWNED`, `DEPLOYMENT_IMMUTABLE` and so on.
   */
  apply(
    objects: readonly ManifestObject[],
    options: { readonly folder?: string | undefined },
  ): Promise<readonly AppliedObject[]>;
  /** Begins a deletion; `gone` resolves when nothing is left. @throws CodedError `NOT_FOUND`. */
  delete(target: DeleteRequest): { readonly gone: Promise<void> };
  /**
   * Scales, restarts, pauses or takes back a workload.
   * @throws CodedError `NOT_FOUND`, `NOT_SCALABLE`, `NOT_RESTARTABLE`, `NO_REVISION`, …
   */
  change(
    target: { readonly kind: KubernetesObject['kind']; readonly namespace: string; readonly name: string },
    change: WorkloadChange,
  ): Promise<void>;
  /** The node as the API shows it. */
  node(): Node;
  /** Evictions since the first agent, by what was short. */
  evictions(): Readonly<Record<string, number>>;
  /** Cordons the node, or takes that back; false when it was so already. */
  setUnschedulable(unschedulable: boolean): boolean;
  /**
   * Deletes a pod gracefully if the disruption budgets allow it.
   * @throws CodedError `NOT_FOUND`, `TOO_MANY_DISRUPTIONS` (429): try again later.
   */
  evict(namespace: string, name: string, gracePeriodSeconds?: number): void;
  /** Stops, starts, restarts, pauses or unpauses a pod. @throws CodedError `NOT_FOUND`, or why not. */
  control(target: { readonly namespace: string; readonly name: string }, verb: PodVerb): Promise<void>;
  /** Sorted by namespace and name. Secrets come with their data. */
  list(kind: KubernetesObject['kind'], namespace?: string): readonly KubernetesObject[];
  get(kind: KubernetesObject['kind'], namespace: string, name: string): KubernetesObject | undefined;
  views(): {
    readonly pods: readonly PodView[];
    readonly workloads: readonly WorkloadView[];
    /** All objects that are no pods, but ConfigMaps and Secrets. */
    readonly objects: readonly KubernetesObject[];
  };
  /**
   * For who looks each second: as `views`, but of workloads only those with an object, and a pod that has not changed has
   * the same view as at the last look; counts of probes may be ten seconds old.
   */
  recent(): { readonly pods: readonly PodView[]; readonly workloads: readonly WorkloadView[] };
  /** One pod's view, without making the others'; undefined when it is gone. */
  view(uid: string): PodView | undefined;
  /** The folder of the manifest a pod was made from; undefined when it is gone, or had none. */
  folderOf(uid: string): string | undefined;
  /** Whose life a running container is; undefined when it does not run, or is nobody's. */
  ownerOf(
    containerId: string,
  ): { readonly pod: PodRef; readonly container: string; readonly attempt: number } | undefined;
  /** Called at once, in order; returns the unsubscribe function. */
  onTransition(listener: (transition: PodTransition) => void): () => void;
  /** What controllers do and see, at once; not told again by the next agent. Returns the unsubscribe function. */
  onWorkloadEvent(listener: (event: WorkloadEvent) => void): () => void;
  /**
   * Stops looking. With `deletePods` all objects are deleted first; when none of them ended for as long as their grace and
   * some ten seconds, no more is waited for. Resolves with the pods that could not be ended. Without, the pods run on, to be taken over by the next agent.
   */
  stop(options: { readonly deletePods: boolean }): Promise<readonly PodRef[]>;
}

const SALT_KEY = 'pod/salt';

export function createPodManager(options: PodManagerOptions): PodManager {
  const { runtime, clock, keyValue, node, random } = options;
  const onError = options.onError ?? (() => {});
  const writer = createWriteBehind(keyValue, clock, onError);
  const objects = createObjectStore(keyValue, writer);
  const transitions = createListeners<PodTransition>(onError);
  const events = createListeners<WorkloadEvent>(onError);
  const emit = transitions.tell;
  const uid = () => randomUid(random);
  const pods = createPodSet(() => context);
  const workloads = createWorkloads({ keyValue, writer, objects, pods: pods.visible, node: node.name });
  const recentViews = createRecentViews(node.ip, clock);
  const servicePublisher = createServicePublisher({
    services: () => objects.list('Service'),
    pods: pods.visible,
    runtime,
    clock,
    onAddresses: () => serviceHosts.addressesChanged(),
    onError,
  });
  const serviceHosts = createServiceHosts({ objects, pods, publisher: servicePublisher, onError });
  const heartbeat = createHeartbeat({ clock, keyValue, writer, pods });
  const claims = createClaimRemoval({ clock, keyValue, writer, pods, runtime, tell, onError });
  let stopListening = () => {};
  let stopping: Promise<readonly PodRef[]> | undefined;
  let closing = false;

  const context: WorkerContext = {
    runtime,
    clock,
    random,
    node,
    backOff: options.backOff ?? KUBELET_BACK_OFF,
    runProbe: options.runProbe ?? createProbeRunner(runtime, clock),
    runHook: createHookRunner(runtime, clock),
    writer,
    salt: loadSalt(),
    agentStartedAt: clock.now(),
    references: objects.references,
    claims,
    serviceHosts: (namespace) => serviceHosts.of(namespace),
    emit,
    onChange: podChanged,
    async onRemoved(pod) {
      pods.forget(pod.ref.uid);
      serviceHosts.podGone(pod);
      await workloads.podGone(pod, clock.now());
      // A Job's count of it must be durable before it is forgotten.
      const owner = controllerOf(pod.metadata);
      const job = owner?.kind === 'Job' && objects.get('Job', pod.ref.namespace, owner.name);
      if (job) await objects.put(job);
      await writer.remove(podKey(pod.ref.uid));
      podChanged(pod, clock.now());
    },
    onError,
  };
  const place: NodePlace = createNodePlace({
    facts: node,
    host: { uid: node.name, kernel: '', osImage: '', version: '', runtime: runtime.name, ...options.host },
    settings: options.nodeSettings ?? defaultNodeSettings(node.name),
    ...(options.measures && { measures: options.measures }),
    clock,
    keyValue,
    writer,
    pods,
    runtime,
    budgets: () => objects.list('PodDisruptionBudget'),
    desiredOf({ ref }) {
      const object = workloadObject(objects, ref.workloadType, ref.namespace, ref.workload);
      return object ? desiredPods(objects, object) : 1;
    },
    onError,
  });
  const listing = createObjectListing({
    objects,
    pods,
    nodeIp: node.ip,
    budgetStatus: place.budgetStatus,
    serviceAddress: servicePublisher.addressOf,
  });
  const deletion = createDeletion({
    clock,
    pods,
    objects,
    onHidden: (pod) => podChanged(pod, clock.now()),
    onObjectGoing(object, { request }) {
      // Whoever only stops wants to find the data there again.
      if (object.kind === 'StatefulSet' && request.by !== 'shutdown') claims.condemnOwned(object);
    },
    onObjectGone(object) {
      level(object);
      if (object.kind === 'Service') serviceHosts.servicesChanged();
    },
    onError,
  });
  const application = createManifestApplication({
    clock,
    node: node.name,
    uid,
    objects,
    pods,
    workloads,
    onObject(object, namespace, name) {
      level(objects.get(object.kind, namespace, name));
      controllers.soon(object.kind, namespace, name);
      if (object.kind === 'Service') serviceHosts.servicesChanged();
      if (object.kind === 'PriorityClass') controllers.retryPods();
    },
  });
  const controllers = createControllers(
    {
      clock,
      random,
      objects,
      podsOf: pods.ownedBy,
      createPod({ owner, metadata, spec }) {
        const { name, namespace } = metadata;
        admitPod(metadata, spec, {
          priorities: application.priorityLevels(),
          taken: pods.find(namespace, name) !== undefined,
          drawn: owner.kind !== 'StatefulSet',
        });
        const owned = { ...metadata, ownerReferences: [ownerReference(owner)] };
        const admitted = withPriority(spec, application.priorityLevels());
        const asked = { metadata: owned, spec: admitted, folder: owner.folder, ...workloadOf(owner) };
        pods.add(newPod(asked, node.name, uid(), clock.now())).start();
      },
      tell,
      condemnClaims: claims.condemn,
      deletePod: (pod, request) => void (pod.deletion ?? deletion.pod(pod, { request })),
      deleteObject: (object, request) => void deletion.object(object, { request }).catch(onError),
    },
    { onLooked: (kind, namespace, name) => level(objects.get(kind, namespace, name)), onError },
  );

  function tell(object: Stored, words: WorkloadWords): void {
    const { namespace, name, uid: ownUid } = object.metadata;
    const about = { kind: object.kind, namespace, name, uid: ownUid, ...workloadOf(object) };
    events.tell({ at: clock.now(), ...about, ...words });
  }

  function podChanged(pod: PodRecord, at: number): void {
    recentViews.changed(pod.ref.uid);
    if (pods.worker(pod.ref.uid)) {
      workloads.update(pod, at);
      serviceHosts.podChanged(pod);
    }
    claims.look();
    if (!closing) place.look();
    const owner = controllerOf(pod.metadata);
    if (owner && !closing) controllers.soon(owner.kind as StoredKind, pod.ref.namespace, owner.name);
  }

  /** What the workload of an object wants may have changed. */
  function level(object: Stored | undefined): void {
    if (!object) return;
    const { workload, workloadType } = workloadOf(object);
    if (hasWorkload(workloadType))
      workloads.objectChanged(object.metadata.namespace, workload, workloadType, clock.now());
  }

  function loadSalt(): string {
    const kept = keyValue.get(SALT_KEY);
    if (typeof kept === 'string') return kept;
    const salt = uid();
    void writer.write(SALT_KEY, () => salt);
    return salt;
  }

  async function start(): Promise<void> {
    const aliveAt = () => heartbeat.before;
    stopListening = await takeOver({ runtime, keyValue, writer, pods, workloads, aliveAt, onError });
    controllers.all();
    serviceHosts.servicesChanged();
    deletion.orphans();
    claims.start();
    place.start();
    place.look();
    heartbeat.start();
  }

  async function deleteEverything(): Promise<readonly PodRef[]> {
    closing = true;
    controllers.close();
    place.close();
    const left = await endEverything({ clock, objects, pods, deletion, transitions });
    servicePublisher.update();
    return left;
  }

  const notFound = (kind: string, namespace: string, name: string) =>
    new CodedError('NOT_FOUND', `${kind} "${name}" not found in namespace ${namespace}`, { status: 404 });

  return {
    start,
    async apply(asked, { folder }) {
      const applied = application.apply(asked, folder);
      await writer.flush();
      return applied;
    },
    delete(target) {
      const { kind, namespace, name } = target;
      if (kind === 'Pod') {
        const pod = pods.find(namespace, name);
        if (pod) return { gone: deletion.pod(pod, target) };
      } else if (kind !== 'Endpoints') {
        const object = objects.get(kind, namespace, name);
        if (object) return { gone: deletion.object(object, target) };
      }
      throw notFound(kind, namespace, name);
    },
    async change({ kind, namespace, name }, change) {
      const object = kind === 'Pod' || kind === 'Endpoints' ? undefined : objects.get(kind, namespace, name);
      if (!object) throw notFound(kind, namespace, name);
      if (change.verb === 'undo' && object.kind === 'Deployment' && !object.spec.paused) {
        const target = undoTarget(object, change.toRevision, objects);
        tell(object, rolledBack(name, change.toRevision ?? 0, target));
      }
      await objects.put(changedWorkload(object, change, { objects, now: apiTime(clock.now()) }));
      level(object);
      controllers.soon(object.kind, namespace, name);
    },
    node: place.object,
    evictions: () => place.record().evictions,
    setUnschedulable: place.setUnschedulable,
    evict(namespace, name, gracePeriodSeconds) {
      const pod = pods.find(namespace, name);
      if (!pod) throw notFound('Pod', namespace, name);
      place.evict(pod, gracePeriodSeconds);
    },
    async control({ namespace, name }, verb) {
      const pod = pods.find(namespace, name);
      const worker = pod && pods.worker(pod.ref.uid);
      if (!worker) throw notFound('Pod', namespace, name);
      const message = `${verb === 'stop' ? 'Stopped' : 'Restarted'} by podvitals ${verb}`;
      await worker.control(verb, { by: 'user', message, at: clock.now() });
    },
    list: listing.list,
    get: (kind, namespace, name) =>
      listing.list(kind, namespace).find((object) => object.metadata.name === name),
    views: () => ({
      pods: pods.visible().map(recentViews.exact),
      workloads: workloads.views(clock.now()),
      objects: listing.described(),
    }),
    recent: () => ({
      pods: pods.visible().map(recentViews.of),
      workloads: workloads.viewsOfObjects(clock.now()),
    }),
    view(podUid) {
      const worker = pods.isHidden(podUid) ? undefined : pods.worker(podUid);
      return worker && podView(worker.pod, node.ip, clock.now());
    },
    folderOf: (podUid) => pods.worker(podUid)?.pod.folder,
    ownerOf(containerId) {
      for (const { ref, containers } of pods.visible()) {
        for (const container of containers) {
          if (container.life?.id === containerId && isRunning(container))
            return { pod: ref, container: container.name, attempt: container.life.attempt };
        }
      }
      return undefined;
    },
    onTransition: transitions.add,
    onWorkloadEvent: events.add,
    stop({ deletePods }) {
      stopping ??= (async () => {
        const left = deletePods ? await deleteEverything() : [];
        closing = true;
        controllers.close();
        place.close();
        claims.close();
        stopListening();
        for (const worker of pods.workers()) worker.detach();
        workloads.settle(clock.now());
        heartbeat.stop();
        await writer.flush();
        await servicePublisher.settled();
        servicePublisher.close();
        await runtime.close();
        return left;
      })();
      return stopping;
    },
  };
}
