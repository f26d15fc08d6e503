import type { Node } from '../../../model/kubernetes.ts';
import type { PodDisruptionBudget } from '../../../model/kubernetes-workload.ts';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';
import type { KeyValue } from '../key-value.ts';
import type { PodRecord } from '../pod-record.ts';
import type { PodSet } from '../pod-set.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { NodeFacts } from '../spec/field-ref.ts';
import { volumePath } from '../spec/volumes.ts';
import { isTerminal } from '../status/phase.ts';
import { graceMsOf } from '../worker/decision.ts';
import type { WriteBehind } from '../write-behind.ts';
import { type Binder, createBinder } from './binder.ts';
import { type BudgetedPod, budgetStatus, evictionRefusal } from './disruption-budget.ts';
import type { EvictionCandidate } from './eviction-order.ts';
import { limitsStorage, storageExcess } from './local-storage.ts';
import { createNodeKeeper, NODE_KEY, type NodeRecord, type NodeSettings } from './node-keeper.ts';
import { type HostFacts, nodeObject } from './node-object.ts';
import type { NodeSignals } from './pressure.ts';
import { sysctlRefusal } from './sysctl-admission.ts';
import { staysMs } from './taint-eviction.ts';

/** What can be measured for the node's decisions; what is left out is not decided by. */
export interface NodeMeasures {
  readonly signals: () => NodeSignals;
  /** What a pod uses of the node now, and its containers of its memory. */
  readonly usage: (
    uid: string,
  ) => Omit<EvictionCandidate['usage'], 'diskBytes'> & Pick<EvictionCandidate, 'containers'>;
  /** Bytes of a folder on its own file system; undefined when it cannot be read. */
  readonly diskBytes: (folder: string) => number | undefined;
}

export interface NodePlaceOptions {
  readonly facts: NodeFacts;
  readonly host: HostFacts;
  readonly settings: NodeSettings;
  readonly measures?: NodeMeasures;
  readonly clock: Clock;
  readonly keyValue: KeyValue;
  readonly writer: WriteBehind;
  readonly pods: PodSet;
  readonly runtime: Pick<Runtime, 'podDirectory' | 'writableLayers' | 'enforcement'>;
  readonly budgets: () => readonly Pick<PodDisruptionBudget, 'metadata' | 'spec'>[];
  /** How many pods the owner of a pod wants. */
  readonly desiredOf: (pod: PodRecord) => number;
  readonly onError: (error: unknown) => void;
}

/** The node as the pods' place: who gets in, who must go, and what it shows of itself. */
export interface NodePlace {
  start(): void;
  /** Pods came or went. */
  look: Binder['look'];
  object(): Node;
  record(): NodeRecord;
  /** Cordons the node, or takes that back; false when it was so already. */
  setUnschedulable(unschedulable: boolean): boolean;
  /**
   * Deletes a pod gracefully if the disruption budgets allow it.
   * @throws CodedError `TOO_MANY_DISRUPTIONS` (429): try again when other pods are ready.
   */
  evict(pod: PodRecord, gracePeriodSeconds?: number): void;
  budgetStatus(budget: Pick<PodDisruptionBudget, 'metadata' | 'spec'>): PodDisruptionBudget['status'];
  close(): void;
}

// Source: kubernetes/pkg/kubelet/kubelet.go, evictionMonitoringPeriod
const LOOK_MS = 10_000;

export function createNodePlace(options: NodePlaceOptions): NodePlace {
  const { clock, facts, measures, pods, runtime } = options;
  let cancel: CancelTimer = () => {};
  const createdAt = clock.now();
  const binder = createBinder({
    clock,
    node: () => keeper.schedulable(),
    workers: pods.workers,
    rejection(spec) {
      // Source: kubernetes/pkg/kubelet/lifecycle/predicate.go, rejectPodAdmissionBasedOnOSField
      if (spec.os?.name === 'windows')
        return {
          reason: 'PodOSNotSupported',
          message: "Failed to admit pod as the OS field doesn't match node OS",
        };
      const message = sysctlRefusal(spec, options.settings.allowedSysctls ?? []);
      return message === undefined ? undefined : { reason: 'SysctlForbidden', message };
    },
  });
  const alive = () => pods.all().filter((pod) => !isTerminal(pod.phase) && !pod.failure && !pod.deletion);
  const here = () => alive().filter((pod) => pod.sandbox !== undefined);
  const keeper = createNodeKeeper({
    facts,
    settings: options.settings,
    clock,
    kept: options.keyValue.get(NODE_KEY),
    writer: options.writer,
    readSignals: () => measures?.signals() ?? {},
    candidates: () => (measures ? here().map((pod) => candidate(pod, measures)) : []),
    leaving: (uid) => pods.worker(uid)?.pod.sandbox !== undefined,
    evict: failPod,
    onChange: binder.look,
    onError: options.onError,
  });

  /** Volumes, and what containers write beside them. */
  function bytesOfPod(uid: string, diskBytes: NodeMeasures['diskBytes']): number | undefined {
    const own = diskBytes(runtime.podDirectory(uid));
    return own && runtime.writableLayers(uid).reduce((sum, layer) => sum + (diskBytes(layer) ?? 0), own);
  }

  function candidate({ ref, spec }: PodRecord, { usage, diskBytes }: NodeMeasures): EvictionCandidate {
    const { containers, ...used } = usage(ref.uid);
    const bytes = bytesOfPod(ref.uid, diskBytes);
    return {
      uid: ref.uid,
      spec,
      usage: { ...used, ...(bytes === undefined ? {} : { diskBytes: bytes }) },
      containers,
    };
  }

  /** Ends a pod for good; at once, or with so much of its own grace. */
  function failPod(uid: string, message: string, signal: string, mostGraceMs = 0): void {
    const worker = pods.worker(uid);
    if (!worker) return;
    worker.disrupt('TerminationByKubelet', { reason: 'Evicted', message, signal });
    const graceMs = Math.min(mostGraceMs, graceMsOf(worker.pod));
    worker.fail({ reason: 'Evicted', message, by: 'eviction', graceMs });
  }

  /** Ends whom a NoExecute taint leaves no place. Source: taint_eviction.go, addConditionAndDeletePod */
  function lookAtTaints(): void {
    const driving = keeper.schedulable().taints.filter(({ effect }) => effect === 'NoExecute');
    if (driving.length === 0) return;
    for (const pod of alive()) {
      const { scheduledAt } = pod.startup;
      if (scheduledAt === undefined) continue;
      const leavesAt = driving.map((taint) => {
        const stays = staysMs([taint], pod.spec.tolerations ?? []);
        return stays === undefined ? Infinity : Math.max(scheduledAt, keeper.taintedSince(taint)) + stays;
      });
      if (Math.min(...leavesAt) > clock.now()) continue;
      const worker = pods.worker(pod.ref.uid);
      const message = `Marking for deletion Pod ${pod.ref.namespace}/${pod.ref.name}`;
      worker?.disrupt('DeletionByTaintManager', { reason: 'TaintManagerEviction', message });
      const why = 'A NoExecute taint of the node is not tolerated, or no longer';
      worker?.delete(graceMsOf(pod), { by: 'eviction', message: why, at: clock.now() });
    }
  }

  function look(): void {
    cancel = clock.setTimer(LOOK_MS, look, { unref: true });
    lookAtTaints();
    lookAtStorage();
  }

  function lookAtStorage(): void {
    if (!measures) return;
    for (const { ref, spec } of here()) {
      if (!limitsStorage(spec)) continue;
      const folder = runtime.podDirectory(ref.uid);
      const excess = storageExcess(spec, {
        volume: (name) =>
          measures.diskBytes(volumePath(spec.volumes!.find((volume) => volume.name === name)!, folder)),
        pod: () => bytesOfPod(ref.uid, measures.diskBytes),
      });
      if (!excess) continue;
      keeper.countEviction(excess.signal);
      failPod(ref.uid, excess.message, excess.signal);
    }
  }

  const budgeted = (pod: PodRecord): BudgetedPod => ({
    uid: pod.ref.uid,
    namespace: pod.ref.namespace,
    labels: pod.labels ?? {},
    healthy: pod.ready,
    workload: {
      key: `${pod.ref.workloadType} ${pod.ref.namespace}/${pod.ref.workload}`,
      desired: options.desiredOf(pod),
    },
  });
  const asBudget = ({
    metadata: { namespace, name },
    spec,
  }: Pick<PodDisruptionBudget, 'metadata' | 'spec'>) => ({
    namespace,
    name,
    ...spec,
  });

  return {
    start() {
      keeper.start();
      look();
    },
    look: binder.look,
    object: () =>
      nodeObject(
        facts,
        keeper.schedulable(),
        keeper.record(),
        { ...options.host, createdAt, enforcement: runtime.enforcement() },
        clock.now(),
      ),
    record: keeper.record,
    setUnschedulable: keeper.setUnschedulable,
    evict(pod, gracePeriodSeconds) {
      const refusal = isTerminal(pod.phase)
        ? undefined
        : evictionRefusal(budgeted(pod), options.budgets().map(asBudget), alive().map(budgeted));
      if (refusal !== undefined) throw new CodedError('TOO_MANY_DISRUPTIONS', refusal, { status: 429 });
      const worker = pods.worker(pod.ref.uid)!;
      const message = 'Eviction API: evicting';
      worker.disrupt('EvictionByEvictionAPI', { reason: 'Evicted', message });
      const graceMs = gracePeriodSeconds === undefined ? graceMsOf(pod) : gracePeriodSeconds * 1000;
      worker.delete(Math.max(1000, graceMs), { by: 'eviction', message, at: clock.now() });
    },
    budgetStatus: (budget) => budgetStatus(asBudget(budget), alive().map(budgeted)),
    close() {
      cancel();
      keeper.close();
    },
  };
}
