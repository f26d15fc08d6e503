import type { Deployment, PodSpec } from '../../../model/kubernetes.ts';
import { withDefaults, withDeploymentDefaults } from './defaulting.ts';
import type { ManifestObject } from './manifest-object.ts';
import { CONFIG_KEY, checkAnnotations, checkLabels, checkName, DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import { checkPodSpec } from './pod-validation.ts';
import type { Path, Report } from './problem.ts';
import { atLeast } from './rules.ts';

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

// One machine: a number beyond this is a slip of the finger.
const MOST_REPLICAS = 500;
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
  Deployment: {
    apiVersion: 'apps/v1',
    type: 'V1Deployment',
    check: (object, report) => {
      checkMetadata(object, DNS_LABEL, report);
      if (object.spec === undefined) report({ path: ['spec'], message: 'required, but missing' });
      else checkDeployment(object.spec as Deployment['spec'], report);
    },
    body: (object) => ({ spec: withDeploymentDefaults(object.spec as Deployment['spec']) }),
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

function checkDeployment(spec: Deployment['spec'], report: Report): void {
  atLeast(spec.replicas, 0, ['spec', 'replicas'], report);
  if ((spec.replicas ?? 0) > MOST_REPLICAS) {
    report({
      path: ['spec', 'replicas'],
      value: spec.replicas,
      message: `must be at most ${MOST_REPLICAS} on one machine`,
    });
  }
  const template: Path = ['spec', 'template'];
  checkSelector(spec, report);
  const { labels, annotations } = spec.template.metadata ?? {};
  if (labels) checkLabels(labels, [...template, 'metadata', 'labels'], report);
  if (annotations) checkAnnotations(annotations, [...template, 'metadata', 'annotations'], report);
  const pod = spec.template.spec;
  if (pod === undefined) {
    report({ path: [...template, 'spec'], message: 'required, but missing' });
    return;
  }
  checkPodSpec(pod, [...template, 'spec'], report);
  if (pod.restartPolicy !== undefined && pod.restartPolicy !== 'Always') {
    report({
      path: [...template, 'spec', 'restartPolicy'],
      value: pod.restartPolicy,
      message: 'must be Always in a Deployment',
    });
  }
  if (pod.activeDeadlineSeconds !== undefined) {
    report({
      path: [...template, 'spec', 'activeDeadlineSeconds'],
      message: 'may not be set in a Deployment',
    });
  }
}

function checkSelector(spec: Deployment['spec'], report: Report): void {
  const selector = Object.entries(spec.selector.matchLabels ?? {});
  if (selector.length === 0) {
    report({
      path: ['spec', 'selector', 'matchLabels'],
      message: 'required: the labels by which the Deployment knows its pods',
    });
  }
  const labels = spec.template.metadata?.labels ?? {};
  for (const [key, value] of selector) {
    if (Object.hasOwn(labels, key) && labels[key] === value) continue;
    report({
      path: ['spec', 'selector', 'matchLabels', key],
      value,
      message: 'does not match spec.template.metadata.labels: the pods of the template must carry it',
    });
  }
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
