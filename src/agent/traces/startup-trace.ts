import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { startupStages } from '../pod/startup-stages.ts';
import type { PodView } from '../pod/view.ts';

/**
 * Writes a pod's start-up as one trace, once it was Ready for the first time: a span `pod startup` and a child a
 * stage. Does nothing for a pod that is not Ready yet, and costs nothing where no tracer is registered.
 */
export function traceStartup(tracer: Tracer, view: PodView): void {
  const { readyAt, createdAt } = view.startup;
  if (readyAt === undefined) return;
  const attributes = {
    'k8s.namespace.name': view.ref.namespace,
    'k8s.pod.name': view.ref.name,
    'k8s.pod.uid': view.ref.uid,
    'k8s.node.name': view.ref.node,
    [`podvitals.workload.${view.ref.workloadType}.name`]: view.ref.workload,
  };
  const root = tracer.startSpan(
    'pod startup',
    { startTime: createdAt, kind: SpanKind.INTERNAL, attributes },
    ROOT_CONTEXT,
  );
  const inRoot = trace.setSpan(ROOT_CONTEXT, root);
  for (const stage of startupStages(view.startup)) {
    tracer
      .startSpan(
        `pod startup: ${stage.name}`,
        { startTime: stage.startMs, attributes: { ...attributes, 'podvitals.startup.stage': stage.name } },
        inRoot,
      )
      .end(stage.endMs);
  }
  root.setStatus({ code: SpanStatusCode.OK });
  root.end(readyAt);
}
