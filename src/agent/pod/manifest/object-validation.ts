import type { PodSpec } from '../../../model/kubernetes.ts';
import type { Service } from '../../../model/kubernetes-service.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodDisruptionBudget,
  PriorityClass,
  StatefulSet,
} from '../../../model/kubernetes-workload.ts';
import { MOST_PRIORITY, type PriorityLevel } from '../node/priority.ts';
import { withDefaults } from './defaulting.ts';
import { checkCronJob, checkJob } from './job-validation.ts';
import type { ManifestObject } from './manifest-object.ts';
import { CONFIG_KEY, checkAnnotations, checkLabels, checkName, DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import { checkPodSpec } from './pod-validation.ts';
import type { Path, Problem, Report } from './problem.ts';
import { oneOf } from './rules.ts';
import { checkService, serviceWarnings } from './service-validation.ts';
import {
  withCronJobDefaults,
  withDaemonSetDefaults,
  withDeploymentDefaults,
  withJobDefaults,
  withServiceDefaults,
  withStatefulSetDefaults,
} from './workload-defaulting.ts';
import {
  checkDaemonSet,
  checkDeployment,
  checkDisruptionBudget,
  checkStatefulSet,
} from './workload-validation.ts';

/** An object whose fields have the right types. */
export interface CheckedObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

const LONGEST_CRON_JOB_NAME = 52;
// Source: kubernetes/pkg/apis/core/types.go, MaxSecretSize
const LARGEST_DATA_BYTES = 2 ** 20;

/** Each kind we run: the API's type, and how its manifest is checked and turned into an object. */
export const OBJECT_KINDS: Readonly<
  Record<
    ManifestObject['kind'],
    {
      readonly apiVersion: string;
      readonly type: string;
      readonly check: (object: CheckedObject, report: Report) => void;
      readonly body: (object: CheckedObject) => object;
      /** It has no namespace. */
      readonly clusterScoped?: boolean;
      /** What is understood and still does not work as in a cluster. */
      readonly warnings?: (object: CheckedObject) => readonly Problem[];
    }
  >
> = {
  Pod: {
    apiVersion: 'v1',
    type: 'V1Pod',
    check: (object, report) => {
      checkMetadata(object, DNS_LABEL, report);
      if (object.spec === undefined) report({ path: ['spec'], message: 'required, but missing' });
      else checkPodSpec(object.spec as PodSpec, ['spec'], report);
    },
    body: (object) => ({ spec: withDefaults(object.spec as PodSpec) }),
  },
  Deployment: ofSpec<Deployment['spec']>('apps/v1', 'V1Deployment', checkDeployment, withDeploymentDefaults),
  StatefulSet: ofSpec<StatefulSet['spec']>(
    'apps/v1',
    'V1StatefulSet',
    checkStatefulSet,
    withStatefulSetDefaults,
  ),
  DaemonSet: ofSpec<DaemonSet['spec']>('apps/v1', 'V1DaemonSet', checkDaemonSet, withDaemonSetDefaults),
  Job: ofSpec<Job['spec']>(
    'batch/v1',
    'V1Job',
    (spec, report) => checkJob(spec, ['spec'], report),
    withJobDefaults,
  ),
  CronJob: {
    ...ofSpec<CronJob['spec']>('batch/v1', 'V1CronJob', checkCronJob, withCronJobDefaults),
    check: (object, report) => {
      const { name = '' } = object.metadata ?? {};
      // Its Jobs get 11 characters more. Source: pkg/apis/batch/validation, ValidateCronJobCreate
      if (name.length > LONGEST_CRON_JOB_NAME)
        report({
          path: ['metadata', 'name'],
          value: name,
          message: `must be at most ${LONGEST_CRON_JOB_NAME} characters in a CronJob`,
        });
      checkMetadata(object, DNS_LABEL, report);
      if (object.spec === undefined) report({ path: ['spec'], message: 'required, but missing' });
      else checkCronJob(object.spec as CronJob['spec'], report);
    },
  },
  Service: {
    ...ofSpec<Service['spec']>('v1', 'V1Service', checkService, withServiceDefaults),
    warnings: (object) => serviceWarnings(object.spec as Service['spec']),
  },
  PodDisruptionBudget: ofSpec<PodDisruptionBudget['spec']>(
    'policy/v1',
    'V1PodDisruptionBudget',
    checkDisruptionBudget,
    (spec) => spec,
  ),
  PriorityClass: {
    apiVersion: 'scheduling.k8s.io/v1',
    type: 'V1PriorityClass',
    check: (object, report) => {
      checkMetadata(object, DNS_SUBDOMAIN, report);
      checkPriorityClass(object as CheckedObject & Partial<PriorityLevel>, report);
    },
    body: (object) => {
      const { value, globalDefault, description, preemptionPolicy } = object as Partial<PriorityClass>;
      return {
        value,
        ...(globalDefault ? { globalDefault } : {}),
        ...(description === undefined ? {} : { description }),
        preemptionPolicy: preemptionPolicy ?? 'PreemptLowerPriority',
      };
    },
    clusterScoped: true,
  },
  ConfigMap: {
    apiVersion: 'v1',
    type: 'V1ConfigMap',
    check: (object, report) => {
      checkMetadata(object, DNS_SUBDOMAIN, report);
      checkData(object, ['data', 'binaryData'], report);
      checkBase64(object.binaryData ?? {}, ['binaryData'], report);
    },
    body: ({ data, binaryData }) => ({ ...(data && { data }), ...(binaryData && { binaryData }) }),
  },
  Secret: {
    apiVersion: 'v1',
    type: 'V1Secret',
    check: (object, report) => {
      checkMetadata(object, DNS_SUBDOMAIN, report);
      checkData(object, ['data', 'stringData'], report);
      checkBase64(object.data ?? {}, ['data'], report);
    },
    body: ({ type, data, stringData }) => ({
      type: type ?? 'Opaque',
      ...((data || stringData) && { data: { ...data, ...encoded(stringData ?? {}) } }),
    }),
  },
};

/** Source: kubernetes/pkg/apis/scheduling/validation/validation.go, ValidatePriorityClass */
function checkPriorityClass(
  { metadata, value, preemptionPolicy }: CheckedObject & Partial<PriorityLevel>,
  report: Report,
): void {
  if (metadata?.name?.startsWith('system-'))
    report({
      path: ['metadata', 'name'],
      value: metadata.name,
      message: 'names that begin with system- are kept for the system',
    });
  if (value === undefined) report({ path: ['value'], message: 'required, but missing' });
  else if (value > MOST_PRIORITY || value < -(2 ** 31))
    report({ path: ['value'], value, message: `must be from ${-(2 ** 31)} to ${MOST_PRIORITY}` });
  oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], ['preemptionPolicy'], report);
}

const encoded = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

function checkMetadata(object: CheckedObject, rule: typeof DNS_LABEL, report: Report): void {
  const { name, namespace, labels, annotations } = object.metadata ?? {};
  if (name === undefined) report({ path: ['metadata', 'name'], message: 'required, but missing' });
  else checkName(name, rule, ['metadata', 'name'], report);
  if (namespace !== undefined) checkName(namespace, DNS_LABEL, ['metadata', 'namespace'], report);
  if (labels) checkLabels(labels, ['metadata', 'labels'], report);
  if (annotations) checkAnnotations(annotations, ['metadata', 'annotations'], report);
}

/** A kind that is all metadata and spec. */
function ofSpec<Spec>(
  apiVersion: string,
  type: string,
  check: (spec: Spec, report: Report) => void,
  withDefaultsOf: (spec: Spec) => object,
): (typeof OBJECT_KINDS)['Pod'] {
  return {
    apiVersion,
    type,
    check: (object, report) => {
      checkMetadata(object, DNS_LABEL, report);
      if (object.spec === undefined) report({ path: ['spec'], message: 'required, but missing' });
      else check(object.spec as Spec, report);
    },
    body: (object) => ({ spec: withDefaultsOf(object.spec as Spec) }),
  };
}

function checkData(
  object: CheckedObject,
  fields: readonly ('data' | 'binaryData' | 'stringData')[],
  report: Report,
): void {
  let bytes = 0;
  for (const field of fields) {
    for (const [key, value] of Object.entries(object[field] ?? {})) {
      checkName(key, CONFIG_KEY, [field, key], report);
      bytes += Buffer.byteLength(value);
    }
  }
  if (bytes > LARGEST_DATA_BYTES)
    report({ path: ['data'], message: `must be at most ${LARGEST_DATA_BYTES} bytes, is ${bytes}` });
  const [first, second] = fields as [(typeof fields)[number], (typeof fields)[number]];
  if (second !== 'binaryData') return;
  for (const key of Object.keys(object[second] ?? {})) {
    if (Object.hasOwn(object[first] ?? {}, key))
      report({ path: [second, key], message: `duplicate: ${first} has this key too` });
  }
}

function checkBase64(entries: Readonly<Record<string, string>>, path: Path, report: Report): void {
  for (const [key, value] of Object.entries(entries)) {
    const plain = value.replace(/\s/g, '');
    if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) {
      report({
        path: [...path, key],
        message: 'must be base64; put plain text into stringData (Secret) or data (ConfigMap)',
      });
    }
  }
}
