import type { PodEvent } from '../../model/event.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { AgentRecord } from '../../model/record.ts';
import { type AnyValue, type Attributes, attributeText } from './any-value.ts';
import { parseRecord } from './record-schema.ts';

/**
 * A log record, as far as it matters here. A pod's event has the form in which OpenTelemetry's collector sends
 * Kubernetes events; lives and states are the record itself, as a structured body.
 * Source: opentelemetry-collector-contrib receiver/k8seventsreceiver/k8s_event_to_logdata.go
 */
export interface LogRecord {
  readonly eventName: string;
  readonly timeMs: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: AnyValue;
  readonly attributes: Attributes;
}

export interface ResourceLog {
  readonly resource: Attributes;
  readonly log: LogRecord;
}

const SEVERITY = { Normal: { number: 9, text: 'Normal' }, Warning: { number: 13, text: 'Warning' } } as const;
const WARN = 13;
const EVENT_NAME = 'podvitals.event';

const A = {
  namespace: 'k8s.namespace.name',
  pod: 'k8s.pod.name',
  uid: 'k8s.pod.uid',
  node: 'k8s.node.name',
  workload: 'podvitals.workload.name',
  workloadType: 'podvitals.workload.type',
  container: 'k8s.container.name',
  attempt: 'podvitals.container.attempt',
  reason: 'k8s.event.reason',
  eventUid: 'k8s.event.uid',
  eventId: 'podvitals.event.id',
  details: 'podvitals.event.details',
  objectKind: 'k8s.object.kind',
  objectName: 'k8s.object.name',
  objectUid: 'k8s.object.uid',
} as const;

export function toLog(record: AgentRecord): ResourceLog {
  switch (record.kind) {
    case 'event':
      return { resource: eventResource(record.event), log: eventLog(record.event) };
    case 'life':
      return structured(record, record.life.finishedAt, podResource(record.life.pod));
    case 'pod':
      return structured(record, record.state.at, podResource(record.state.pod));
    case 'workload':
    case 'node':
      return structured(record, record.state.at, new Map([[A.node, record.state.node]]));
  }
}

function podResource(pod: PodRef): Attributes {
  return new Map([
    [A.namespace, pod.namespace],
    [A.pod, pod.name],
    [A.uid, pod.uid],
    [A.node, pod.node],
    [A.workload, pod.workload],
    [A.workloadType, pod.workloadType],
  ]);
}

/** What happened to a workload is about no pod. */
function eventResource({ pod, object }: PodEvent): Attributes {
  const all = podResource(pod);
  return object ? new Map([...all].filter(([key]) => key !== A.pod && key !== A.uid)) : all;
}

function eventLog(event: PodEvent): LogRecord {
  const attributes = new Map<string, AnyValue>([
    [A.eventId, event.id],
    [A.eventUid, event.id],
    [A.reason, event.reason],
    [A.objectKind, event.object?.kind ?? 'Pod'],
    [A.objectName, event.object?.name ?? event.pod.name],
    [A.objectUid, event.pod.uid],
    [A.namespace, event.pod.namespace],
  ]);
  if (event.container !== undefined) attributes.set(A.container, event.container);
  if (event.attempt !== undefined) attributes.set(A.attempt, event.attempt);
  if (event.details !== undefined) attributes.set(A.details, event.details);
  const severity = SEVERITY[event.type];
  return {
    eventName: EVENT_NAME,
    timeMs: event.at,
    severityNumber: severity.number,
    severityText: severity.text,
    body: event.message,
    attributes,
  };
}

function structured(record: AgentRecord, timeMs: number, resource: Attributes): ResourceLog {
  return {
    resource,
    log: {
      eventName: `podvitals.${record.kind}`,
      timeMs,
      severityNumber: SEVERITY.Normal.number,
      severityText: SEVERITY.Normal.text,
      body: record as unknown as AnyValue,
      attributes: new Map(),
    },
  };
}

const STRUCTURED = new Set(['podvitals.life', 'podvitals.pod', 'podvitals.workload', 'podvitals.node']);

/** The record a log is, or why it is none of ours. Pod events of other senders are taken as well. */
export function fromLog({ resource, log }: ResourceLog): AgentRecord | string {
  if (STRUCTURED.has(log.eventName)) return parseRecord(log.body);
  if (log.attributes.has(A.reason)) return parseRecord({ kind: 'event', event: eventOf(resource, log) });
  return "only pods' events, lives and states are stored, no other logs";
}

/** Not yet checked: `parseRecord` says what is missing. */
function eventOf(resource: Attributes, log: LogRecord): unknown {
  const of = (...keys: string[]) => {
    for (const key of keys) {
      const text = attributeText(log.attributes.get(key) ?? resource.get(key));
      if (text !== '') return text;
    }
    return '';
  };
  const isOurs = log.attributes.has(A.eventId);
  const kind = of(A.objectKind) || 'Pod';
  const object = kind === 'Pod' ? undefined : { kind, name: of(A.objectName) };
  const pod = object ? '' : of(A.pod, A.objectName);
  const container = log.attributes.get(A.container);
  const attempt = log.attributes.get(A.attempt);
  const details = log.attributes.get(A.details);
  return {
    id: of(A.eventId, A.eventUid),
    at: log.timeMs,
    pod: {
      namespace: of(A.namespace),
      name: pod,
      uid: of(A.uid, A.objectUid),
      node: of(A.node),
      workload: isOurs ? of(A.workload) : (object?.name ?? pod),
      workloadType: of(A.workloadType) || 'barepod',
    },
    ...(object && { object }),
    ...(container !== undefined && { container }),
    ...(attempt !== undefined && { attempt }),
    type: log.severityNumber >= WARN ? 'Warning' : 'Normal',
    reason: of(A.reason),
    message: typeof log.body === 'string' ? log.body : attributeText(log.body),
    ...(details !== undefined && { details }),
  };
}
