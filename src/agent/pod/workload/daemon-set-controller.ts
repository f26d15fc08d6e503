import { earliest, nextAvailableAt } from './availability.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { daemonPodSpec, daemonSetStatus, decideDaemonSet } from './daemon-set.ts';
import { canonicalJson, podName } from './pod-names.ts';
import { forgetRevisions, keepRevision, REVISION_LABEL, revisionName } from './revisions.ts';

/** Looks after DaemonSets: one pod on the one node. */
export function createDaemonSetController(context: ControllerContext): Reconcile {
  const { objects, clock, random } = context;
  return (namespace, name) => {
    const set = objects.get('DaemonSet', namespace, name);
    if (!set) return undefined;
    const kept = keepRevision(context, set);
    const { hash } = revisionName(set);
    const podsNow = () => context.podsOf(set.metadata.uid);
    const decision = decideDaemonSet(set, hash, podsNow(), clock.now());
    for (const { pod, why } of decision.delete) {
      const message =
        why === 'rollout'
          ? `Replaced by a newer template of DaemonSet ${name}`
          : `Ended, and made anew by DaemonSet ${name}`;
      context.deletePod(pod, { by: 'rollout', message });
    }
    if (decision.create) {
      const { metadata, spec } = set.spec.template;
      const { annotations } = metadata ?? {};
      context.createPod({
        owner: set,
        spec: daemonPodSpec(spec),
        metadata: {
          name: podName(name, random),
          namespace,
          labels: {
            ...metadata?.labels,
            [REVISION_LABEL]: hash,
            'pod-template-generation': String(set.metadata.generation ?? 1),
          },
          ...(annotations && { annotations }),
        },
      });
    }
    const pods = podsNow();
    const status = daemonSetStatus(set, hash, pods, clock.now());
    if (canonicalJson(status) !== canonicalJson(set.status)) objects.mark({ ...set, status });
    forgetRevisions(context, set, pods, [kept.metadata.name]);
    return earliest(
      decision.wakeAt,
      decision.create ? context.createFailure(set.metadata.uid)?.retryAt : undefined,
      nextAvailableAt(pods, set.spec.minReadySeconds, clock.now()),
    );
  };
}
