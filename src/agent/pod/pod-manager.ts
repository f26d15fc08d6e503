import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { KillRequest } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { KeyValue } from './key-value.ts';
import type { ManifestObject } from './manifest/manifest-object.ts';
import { newPod } from './new-pod.ts';
import { type ApplyAction, createObjectStore, objectKey } from './object-store.ts';
import { apiTime, isRunning, type PodRecord } from './pod-record.ts';
import { checkPodUpdate } from './pod-update.ts';
import type { ProbeRunner } from './prober/probe.ts';
import { createProbeRunner } from './prober/probe-runner.ts';
import type { ContainerExit, Runtime } from './runtime/runtime.ts';
import type { NodeFacts } from './spec/field-ref.ts';
import { podObject } from './status/pod-status.ts';
import { podView } from './status/pod-view.ts';
import type { PodTransition } from './transition.ts';
import type { PodView, WorkloadView } from './view.ts';
import type { Inheritance } from './worker/adoption.ts';
import { graceMsOf } from './worker/decision.ts';
import { createPodWorker, type PodWorker } from './worker/pod-worker.ts';
import { KUBELET_BACK_OFF, type RestartBackOff } from './worker/restart-back-off.ts';
import { podKey, type WorkerContext } from './worker/worker-context.ts';
import { asReplica, type DeploymentRecord, deploymentObject, replicaPod } from './workload/deployment.ts';
import { decideDeployment } from './workload/deployment-decision.ts';
import { canonicalJson, randomUid } from './workload/pod-names.ts';
import { createWorkloads } from './workload/workloads.ts';
import { createWriteBehind } from './write-behind.ts';

export interface PodManagerOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Under `pod/`; holds Secrets, so it must be readable by the agent alone. */
  readonly keyValue: KeyValue;
  readonly node: NodeFacts;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** The kubelet's when left out. */
  readonly backOff?: RestartBackOff;
  /** Real probes when left out. */
  readonly runProbe?: ProbeRunner;
  /** Failures nobody can be told of otherwise: an effect that will be tried again, a listener that threw. */
  readonly onError?: (error: unknown) => void;
}

export interface AppliedObject {
  readonly kind: ManifestObject['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly action: ApplyAction;
}

export interface DeleteRequest {
  readonly kind: ManifestObject['kind'];
  readonly namespace: string;
  readonly name: string;
  /** Left out: the pod's own; at least 1. */
  readonly gracePeriodSeconds?: number;
  /** The object is gone at once, its containers are given 2 s. */
  readonly force?: boolean;
  readonly request: Pick<KillRequest, 'by' | 'message'>;
}

export interface PodManager {
  /** Takes over what an earlier agent left, counts included. Call it once, before anything else. */
  start(): Promise<void>;
  /**
   * Applies objects of manifests, in any order; all or nothing is refused. `folder` is that of the manifest: host
   * containers start there. Applying the same again changes nothing.
   * @throws CodedError `POD_IMMUTABLE`, `POD_TERMINATING`, `POD_OWNED`, `DEPLOYMENT_IMMUTABLE`.
   */
  apply(
    objects: readonly ManifestObject[],
    options: { readonly folder?: string | undefined },
  ): Promise<readonly AppliedObject[]>;
  /** Begins a deletion; `gone` resolves when nothing is left. @throws CodedError `NOT_FOUND`. */
  delete(target: DeleteRequest): { readonly gone: Promise<void> };
  /** Sorted by namespace and name. Secrets come with their data. */
  list(kind: KubernetesObject['kind'], namespace?: string): readonly KubernetesObject[];
  get(kind: KubernetesObject['kind'], namespace: string, name: string): KubernetesObject | undefined;
  views(): { readonly pods: readonly PodView[]; readonly workloads: readonly WorkloadView[] };
  /** One pod's view, without making the others'; undefined when it is gone. */
  view(uid: string): PodView | undefined;
  /** Whose life a running container is; undefined when it does not run, or is nobody's. */
  ownerOf(
    containerId: string,
  ): { readonly pod: PodRef; readonly container: string; readonly attempt: number } | undefined;
  /** Called at once, in order; returns the unsubscribe function. */
  onTransition(listener: (transition: PodTransition) => void): () => void;
  /**
   * Stops looking. With `deletePods` all objects are deleted first, bounded by the pods' grace; resolves with the
   * pods that could not be ended in that time. Without, the pods run on, to be taken over by the next agent.
   */
  stop(options: { readonly deletePods: boolean }): Promise<readonly PodRef[]>;
}

const ALIVE_KEY = 'pod/alive';
const SALT_KEY = 'pod/salt';
const ALIVE_EVERY_MS = 10_000;
const FORCED_GRACE_MS = 2000;
// What stopping may take beyond the grace of the slowest pod.
const STOP_ALLOWANCE_MS = 10_000;

export function createPodManager(options: PodManagerOptions): PodManager {
  const { runtime, clock, keyValue, node, random } = options;
  const onError = options.onError ?? (() => {});
  const writer = createWriteBehind(keyValue, clock, onError);
  const objects = createObjectStore(keyValue, writer);
  const workers = new Map<string, PodWorker>();
  const hidden = new Set<string>();
  const listeners = new Set<(transition: PodTransition) => void>();
  const uid = () => randomUid(random);
  const podsOf = (visible: boolean) =>
    [...workers.values()].map((worker) => worker.pod).filter((pod) => !visible || !hidden.has(pod.ref.uid));
  const workloads = createWorkloads({
    keyValue,
    writer,
    deployments: objects.deployments,
    pods: () => podsOf(true),
    node: node.name,
  });
  const dirty = new Set<string>();
  const endings: (() => void)[] = [];
  let stopping: Promise<readonly PodRef[]> | undefined;
  let closing = false;

  const context: WorkerContext = {
    runtime,
    clock,
    random,
    node,
    backOff: options.backOff ?? KUBELET_BACK_OFF,
    runProbe: options.runProbe ?? createProbeRunner(runtime, clock),
    writer,
    salt: loadSalt(),
    agentStartedAt: clock.now(),
    references: objects.references,
    emit,
    onChange(pod, at) {
      workloads.update(pod, at);
      if (pod.ref.workloadType === 'deployment')
        reconcileSoon(objectKey(pod.ref.namespace, pod.ref.workload));
    },
    async onRemoved(pod) {
      workers.delete(pod.ref.uid);
      hidden.delete(pod.ref.uid);
      await workloads.podGone(pod, clock.now());
      await writer.remove(podKey(pod.ref.uid));
      if (pod.ref.workloadType === 'deployment')
        reconcileSoon(objectKey(pod.ref.namespace, pod.ref.workload));
    },
    onError,
  };

  function loadSalt(): string {
    const kept = keyValue.get(SALT_KEY);
    if (typeof kept === 'string') return kept;
    const salt = uid();
    void writer.write(SALT_KEY, () => salt);
    return salt;
  }

  function emit(transition: PodTransition): void {
    for (const listener of [...listeners]) {
      try {
        listener(transition);
      } catch (error) {
        onError(error);
      }
    }
  }

  function addPod(pod: PodRecord): PodWorker {
    const worker = createPodWorker(pod, context);
    workers.set(pod.ref.uid, worker);
    return worker;
  }

  const findPod = (namespace: string, name: string) =>
    podsOf(true).find((pod) => pod.ref.namespace === namespace && pod.ref.name === name);

  // Several pods change together, and a change may come out of a worker's own turn: look once, right after.
  function reconcileSoon(key: string): void {
    if (dirty.has(key)) return;
    dirty.add(key);
    queueMicrotask(() => {
      dirty.delete(key);
      const deployment = objects.deployments.get(key);
      if (deployment && !closing) reconcile(deployment);
    });
  }

  function reconcile(deployment: DeploymentRecord): void {
    const { namespace, name } = deployment.metadata;
    const pods = podsOf(true).filter(
      ({ ref }) => ref.workloadType === 'deployment' && ref.namespace === namespace && ref.workload === name,
    );
    const decision = decideDeployment(
      deployment.spec.replicas,
      pods.map((pod) => asReplica(deployment, pod)),
    );
    for (const { uid: podUid, why } of decision.delete) {
      const worker = workers.get(podUid)!;
      worker.delete(graceMsOf(worker.pod), {
        by: 'rollout',
        message:
          why === 'rollout'
            ? `Replaced by a newer template of Deployment ${name}`
            : `Scaled down by Deployment ${name}`,
        at: clock.now(),
      });
    }
    for (let left = decision.create; left > 0; left -= 1) {
      const made = replicaPod(deployment, random);
      addPod(
        newPod(
          { ...made, folder: deployment.folder, workload: name, workloadType: 'deployment' },
          node.name,
          uid(),
          clock.now(),
        ),
      ).start();
    }
  }

  function applyOne(object: ManifestObject, folder: string | undefined): ApplyAction {
    const { namespace, name } = object.metadata;
    const now = apiTime(clock.now());
    if (object.kind === 'ConfigMap' || object.kind === 'Secret') {
      return objects.applyConfiguration(object, uid, now);
    }
    if (object.kind === 'Deployment') {
      const action = objects.applyDeployment(object, folder, uid, now);
      workloads.ensure(namespace, name, 'deployment', clock.now());
      reconcileSoon(objectKey(namespace, name));
      return action;
    }
    const existing = findPod(namespace, name);
    if (existing) return relabel(existing, object);
    workloads.ensure(namespace, name, 'barepod', clock.now());
    const asked = {
      metadata: object.metadata,
      spec: object.spec,
      folder,
      workload: name,
      workloadType: 'barepod',
    } as const;
    addPod(newPod(asked, node.name, uid(), clock.now())).start();
    return 'created';
  }

  function relabel(pod: PodRecord, { metadata: { labels, annotations } }: ManifestObject): ApplyAction {
    const same =
      canonicalJson([pod.labels ?? {}, pod.annotations ?? {}]) ===
      canonicalJson([labels ?? {}, annotations ?? {}]);
    if (same) return 'unchanged';
    pod.labels = labels;
    pod.annotations = annotations;
    workers.get(pod.ref.uid)!.changed();
    return 'configured';
  }

  function check(object: ManifestObject, folder: string | undefined): void {
    const { namespace, name } = object.metadata;
    if (object.kind === 'Pod') {
      const pod = findPod(namespace, name);
      if (pod) checkPodUpdate(pod, object, folder);
    } else if (object.kind === 'Deployment') {
      const before = objects.deployments.get(objectKey(namespace, name));
      if (!before || canonicalJson(before.spec.selector) === canonicalJson(object.spec.selector)) return;
      throw new CodedError(
        'DEPLOYMENT_IMMUTABLE',
        `${object.file}: the Deployment "${name}" is invalid: spec.selector: field is immutable. Delete it first: podvitals delete deployment ${name} -n ${namespace}`,
        { status: 422 },
      );
    }
  }

  function inheritanceOf(
    pod: PodRecord,
    adopted: Awaited<ReturnType<Runtime['adopt']>>,
    aliveAt: number,
  ): Inheritance {
    const own = ({ podUid }: { readonly podUid: string }) => podUid === pod.ref.uid;
    return {
      sandbox: adopted.sandboxes.find(own),
      running: adopted.running.filter(own),
      exits: adopted.exits.filter(own),
      aliveAt,
    };
  }

  function beat(): void {
    writer.mark(ALIVE_KEY, () => clock.now());
    // Probe results alone make nothing durable; what they count follows here.
    for (const { pod } of workers.values()) writer.mark(podKey(pod.ref.uid), () => pod);
    endings[0] = clock.setTimer(ALIVE_EVERY_MS, beat, { unref: true });
  }

  function exited(exit: ContainerExit): void {
    workers.get(exit.podUid)?.exited(exit);
  }

  async function start(): Promise<void> {
    const early: ContainerExit[] = [];
    let taken = false;
    endings[1] = runtime.onExit((exit) => (taken ? exited(exit) : early.push(exit)));
    const adopted = await runtime.adopt();
    const kept = keyValue.get(ALIVE_KEY);
    const aliveAt = typeof kept === 'number' ? kept : clock.now();
    for (const [, value] of keyValue.entries(podKey(''))) {
      const pod = value as PodRecord;
      if (!workloads.hasFolded(pod)) addPod(pod);
      else await writer.remove(podKey(pod.ref.uid));
    }
    for (const { podUid } of adopted.sandboxes) {
      if (!workers.has(podUid)) await runtime.removeSandbox(podUid).catch(onError);
    }
    const inherited = [...workers.values()].map(
      (worker) => [worker, inheritanceOf(worker.pod, adopted, aliveAt)] as const,
    );
    const unseen = inherited.flatMap(([worker, inheritance]) => worker.unseen(inheritance));
    for (const { tell } of unseen.sort((a, b) => a.at - b.at)) tell();
    for (const [worker, inheritance] of inherited) worker.takeOver(inheritance);
    taken = true;
    for (const exit of early) exited(exit);
    for (const { pod } of workers.values()) deleteOrphan(pod);
    for (const key of objects.deployments.keys()) reconcileSoon(key);
    beat();
  }

  /** A pod whose Deployment was deleted just before the earlier agent died. */
  function deleteOrphan(pod: PodRecord): void {
    const { namespace, workload, workloadType } = pod.ref;
    if (workloadType !== 'deployment' || objects.deployments.has(objectKey(namespace, workload))) return;
    const request = { by: 'delete', message: `Deployment ${workload} was deleted`, at: clock.now() } as const;
    workers.get(pod.ref.uid)!.delete(graceMsOf(pod), request);
  }

  function deletePod(
    pod: PodRecord,
    target: Omit<DeleteRequest, 'kind' | 'namespace' | 'name'>,
  ): Promise<void> {
    const worker = workers.get(pod.ref.uid)!;
    const { gracePeriodSeconds, force, request } = target;
    const asked = gracePeriodSeconds === undefined ? graceMsOf(pod) : gracePeriodSeconds * 1000;
    worker.delete(force ? FORCED_GRACE_MS : Math.max(1000, asked), { ...request, at: clock.now() });
    if (!force) return worker.removed;
    hidden.add(pod.ref.uid);
    workloads.update(pod, clock.now());
    if (pod.ref.workloadType === 'deployment') reconcileSoon(objectKey(pod.ref.namespace, pod.ref.workload));
    return Promise.resolve();
  }

  async function deleteDeployment(namespace: string, name: string, target: DeleteRequest): Promise<void> {
    const pods = podsOf(true).filter(
      ({ ref }) => ref.workloadType === 'deployment' && ref.namespace === namespace && ref.workload === name,
    );
    const removal = objects.remove('Deployment', namespace, name);
    workloads.deploymentGone(namespace, name, clock.now());
    await Promise.all([removal, ...pods.map((pod) => deletePod(pod, target))]);
  }

  async function deleteEverything(): Promise<readonly PodRef[]> {
    closing = true;
    const request = { by: 'shutdown', message: 'The agent is shutting down' } as const;
    const gone: Promise<unknown>[] = [];
    for (const { metadata } of objects.deployments.values()) {
      const { namespace, name } = metadata;
      gone.push(deleteDeployment(namespace, name, { kind: 'Deployment', namespace, name, request }));
    }
    for (const pod of podsOf(false)) gone.push(deletePod(pod, { request }));
    const longest = Math.max(0, ...podsOf(false).map(graceMsOf));
    const bound = new Promise<void>((resolve) => {
      endings.push(clock.setTimer(longest + STOP_ALLOWANCE_MS, resolve));
    });
    await Promise.race([Promise.all(gone), bound]);
    for (const kind of ['ConfigMap', 'Secret'] as const) {
      for (const { metadata } of objects.configurations(kind)) {
        await objects.remove(kind, metadata.namespace, metadata.name);
      }
    }
    return podsOf(false).map((pod) => pod.ref);
  }

  return {
    start,
    async apply(asked, { folder }) {
      for (const object of asked) check(object, folder);
      const applied = asked.map((object) => {
        const { namespace, name } = object.metadata;
        return { kind: object.kind, namespace, name, action: applyOne(object, folder) };
      });
      // Pods that waited for a ConfigMap or Secret need not wait for their next try.
      for (const worker of workers.values()) {
        if (asked.some((object) => object.metadata.namespace === worker.pod.ref.namespace)) worker.retry();
      }
      await writer.flush();
      return applied;
    },
    delete(target) {
      const { kind, namespace, name } = target;
      if (kind === 'Pod') {
        const pod = findPod(namespace, name);
        if (pod) return { gone: deletePod(pod, target) };
      } else if (kind === 'Deployment') {
        if (objects.deployments.has(objectKey(namespace, name))) {
          return { gone: deleteDeployment(namespace, name, target) };
        }
      } else if (objects.configuration(kind, namespace, name)) {
        return { gone: objects.remove(kind, namespace, name).then(() => {}) };
      }
      throw new CodedError('NOT_FOUND', `${kind} "${name}" not found in namespace ${namespace}`, {
        status: 404,
      });
    },
    list,
    get: (kind, namespace, name) => list(kind, namespace).find((object) => object.metadata.name === name),
    views: () => ({
      pods: podsOf(true).map((pod) => podView(pod, node.ip, clock.now())),
      workloads: workloads.views(clock.now()),
    }),
    view(podUid) {
      const worker = hidden.has(podUid) ? undefined : workers.get(podUid);
      return worker && podView(worker.pod, node.ip, clock.now());
    },
    ownerOf(containerId) {
      for (const { ref, containers } of podsOf(true)) {
        for (const container of containers) {
          if (container.life?.id === containerId && isRunning(container))
            return { pod: ref, container: container.name, attempt: container.life.attempt };
        }
      }
      return undefined;
    },
    onTransition(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop({ deletePods }) {
      stopping ??= (async () => {
        const left = deletePods ? await deleteEverything() : [];
        closing = true;
        for (const end of endings) end();
        for (const worker of workers.values()) worker.detach();
        workloads.settle(clock.now());
        writer.mark(ALIVE_KEY, () => clock.now());
        await writer.flush();
        await runtime.close();
        return left;
      })();
      return stopping;
    },
  };

  function list(kind: KubernetesObject['kind'], namespace?: string): readonly KubernetesObject[] {
    const all: readonly KubernetesObject[] =
      kind === 'Pod'
        ? podsOf(true).map((pod) => podObject(pod, node.ip))
        : kind === 'Deployment'
          ? [...objects.deployments.values()].map((deployment) =>
              deploymentObject(deployment, workloads.podsOf(deployment)),
            )
          : objects.configurations(kind);
    const face = ({ metadata }: KubernetesObject) => objectKey(metadata.namespace, metadata.name);
    return all
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
      .sort((a, b) => (face(a) < face(b) ? -1 : 1));
  }
}
