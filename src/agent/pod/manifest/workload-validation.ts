import type { LabelSelector, PodTemplate } from '../../../model/kubernetes.ts';
import type { IntOrString } from '../../../model/kubernetes-workload.ts';
import { selects } from '../workload/selector.ts';
import { checkAnnotations, checkLabels, checkName, DNS_LABEL } from './names.ts';
import { checkPodSpec } from './pod-validation.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, oneOf } from './rules.ts';

// One machine: a number beyond this is a slip of the finger.
const MOST_REPLICAS = 500;
const TEMPLATE: Path = ['spec', 'template'];

interface Templated {
  readonly replicas?: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplate;
  readonly minReadySeconds?: number;
  readonly revisionHistoryLimit?: number;
  readonly progressDeadlineSeconds?: number;
}

interface Rolling {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly maxSurge?: IntOrString;
    readonly maxUnavailable?: IntOrString;
    readonly partition?: number;
  };
}

// Source: kubernetes/pkg/apis/apps/validation/validation.go
export function checkDeployment(spec: Templated & { readonly strategy?: Rolling }, report: Report): void {
  checkReplicated(spec, 'Deployment', report);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0))
    report({
      path: ['spec', 'progressDeadlineSeconds'],
      value: deadline,
      message: 'must be greater than minReadySeconds',
    });
  checkRolling(spec.strategy, ['RollingUpdate', 'Recreate'], ['spec', 'strategy'], report);
}

export function checkStatefulSet(
  spec: Templated & {
    readonly updateStrategy?: Rolling;
    readonly podManagementPolicy?: string;
    readonly volumeClaimTemplates?: readonly { readonly metadata?: { readonly name?: string } }[];
    readonly ordinals?: { readonly start?: number };
    readonly persistentVolumeClaimRetentionPolicy?: {
      readonly whenDeleted?: string;
      readonly whenScaled?: string;
    };
  },
  report: Report,
): void {
  const claims = spec.volumeClaimTemplates ?? [];
  for (const [index, claim] of claims.entries()) {
    const path: Path = ['spec', 'volumeClaimTemplates', index, 'metadata', 'name'];
    const { name } = claim.metadata ?? {};
    if (name === undefined) report({ path, message: 'required, but missing' });
    else checkName(name, DNS_LABEL, path, report);
  }
  checkReplicated(withClaims(spec, claims), 'StatefulSet', report);
  oneOf(spec.podManagementPolicy, ['OrderedReady', 'Parallel'], ['spec', 'podManagementPolicy'], report);
  const policy = ['spec', 'persistentVolumeClaimRetentionPolicy'];
  for (const when of ['whenDeleted', 'whenScaled'] as const)
    oneOf(spec.persistentVolumeClaimRetentionPolicy?.[when], ['Retain', 'Delete'], [...policy, when], report);
  atLeast(spec.ordinals?.start, 0, ['spec', 'ordinals', 'start'], report);
  checkRolling(spec.updateStrategy, ['RollingUpdate', 'OnDelete'], ['spec', 'updateStrategy'], report);
}

export function checkDaemonSet(
  spec: Templated & { readonly updateStrategy?: Rolling },
  report: Report,
): void {
  checkReplicated(spec, 'DaemonSet', report);
  checkRolling(spec.updateStrategy, ['RollingUpdate', 'OnDelete'], ['spec', 'updateStrategy'], report);
}

/** As its pods will be: with a volume for each claim. */
function withClaims(
  spec: Templated,
  claims: readonly { readonly metadata?: { readonly name?: string } }[],
): Templated {
  const { template } = spec;
  const pod = template.spec as PodTemplate['spec'] | undefined;
  const names = claims.flatMap(({ metadata }) => metadata?.name ?? []);
  if (pod === undefined || names.length === 0) return spec;
  const others = (pod.volumes ?? []).filter(({ name }) => !names.includes(name));
  const made = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...spec, template: { ...template, spec: { ...pod, volumes: [...others, ...made] } } };
}

function checkReplicated(spec: Templated, kind: string, report: Report): void {
  atLeast(spec.replicas, 0, ['spec', 'replicas'], report);
  if ((spec.replicas ?? 0) > MOST_REPLICAS) {
    report({
      path: ['spec', 'replicas'],
      value: spec.replicas,
      message: `must be at most ${MOST_REPLICAS} on one machine`,
    });
  }
  atLeast(spec.minReadySeconds, 0, ['spec', 'minReadySeconds'], report);
  atLeast(spec.revisionHistoryLimit, 0, ['spec', 'revisionHistoryLimit'], report);
  checkSelector(spec, kind, report);
  const pod = checkTemplate(spec.template, TEMPLATE, report);
  if (pod?.restartPolicy !== undefined && pod.restartPolicy !== 'Always') {
    report({
      path: [...TEMPLATE, 'spec', 'restartPolicy'],
      value: pod.restartPolicy,
      message: `must be Always in a ${kind}`,
    });
  }
  if (pod?.activeDeadlineSeconds !== undefined) {
    report({
      path: [...TEMPLATE, 'spec', 'activeDeadlineSeconds'],
      message: `may not be set in a ${kind}`,
    });
  }
}

/** Checks a template; the pod's spec, if there is one. */
export function checkTemplate(
  template: PodTemplate,
  path: Path,
  report: Report,
): PodTemplate['spec'] | undefined {
  const { labels, annotations } = template.metadata ?? {};
  if (labels) checkLabels(labels, [...path, 'metadata', 'labels'], report);
  if (annotations) checkAnnotations(annotations, [...path, 'metadata', 'annotations'], report);
  const pod = template.spec as PodTemplate['spec'] | undefined;
  if (pod === undefined) report({ path: [...path, 'spec'], message: 'required, but missing' });
  else checkPodSpec(pod, [...path, 'spec'], report);
  return pod;
}

function checkSelector({ selector, template }: Templated, kind: string, report: Report): void {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    report({
      path: ['spec', 'selector', 'matchLabels'],
      message: `required: the labels by which the ${kind} knows its pods`,
    });
  }
  const path: Path = ['spec', 'selector'];
  const labels = template.metadata?.labels ?? {};
  const message = 'does not match spec.template.metadata.labels: the pods of the template must carry it';
  for (const [key, value] of Object.entries(matchLabels)) {
    if (!selects({ matchLabels: { [key]: value } }, labels))
      report({ path: [...path, 'matchLabels', key], value, message });
  }
  for (const [index, expression] of matchExpressions.entries()) {
    const here = [...path, 'matchExpressions', index];
    const { operator, values = [] } = expression;
    oneOf(operator, ['In', 'NotIn', 'Exists', 'DoesNotExist'], [...here, 'operator'], report);
    if (operator.endsWith('In') !== values.length > 0)
      report({
        path: [...here, 'values'],
        message: operator.endsWith('In') ? `required with ${operator}` : `may not be set with ${operator}`,
      });
    if (!selects({ matchExpressions: [expression] }, labels)) report({ path: here, message });
  }
}

function checkRolling(
  strategy: Rolling | undefined,
  types: readonly string[],
  path: Path,
  report: Report,
): void {
  oneOf(strategy?.type, types, [...path, 'type'], report);
  const rolling = strategy?.rollingUpdate;
  if (!rolling) return;
  const here = [...path, 'rollingUpdate'];
  if (strategy.type !== undefined && strategy.type !== 'RollingUpdate')
    report({ path: here, message: `may not be set when type is ${strategy.type}` });
  atLeast(rolling.partition, 0, [...here, 'partition'], report);
  checkShare(rolling.maxSurge, [...here, 'maxSurge'], report);
  checkShare(rolling.maxUnavailable, [...here, 'maxUnavailable'], report);
  const isNone = (value: IntOrString | undefined) => value === 0 || value === '0%';
  const { maxUnavailable } = rolling;
  if (isNone(maxUnavailable) && isNone(rolling.maxSurge))
    report({
      path: [...here, 'maxUnavailable'],
      value: maxUnavailable,
      message: 'may not be 0 when maxSurge is 0: no pod could ever be replaced',
    });
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100)
    report({ path: [...here, 'maxUnavailable'], value: maxUnavailable, message: 'must be at most 100%' });
}

/** Source: kubernetes/pkg/apis/policy/validation/validation.go, ValidatePodDisruptionBudgetSpec */
export function checkDisruptionBudget(
  spec: {
    readonly minAvailable?: IntOrString;
    readonly maxUnavailable?: IntOrString;
    readonly unhealthyPodEvictionPolicy?: string;
  },
  report: Report,
): void {
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    report({ path: ['spec'], message: 'minAvailable and maxUnavailable cannot both be set' });
  oneOf(
    spec.unhealthyPodEvictionPolicy,
    ['IfHealthyBudget', 'AlwaysAllow'],
    ['spec', 'unhealthyPodEvictionPolicy'],
    report,
  );
  checkShare(spec.minAvailable, ['spec', 'minAvailable'], report);
  checkShare(spec.maxUnavailable, ['spec', 'maxUnavailable'], report);
}

function checkShare(value: IntOrString | undefined, path: Path, report: Report): void {
  if (typeof value === 'number') atLeast(value, 0, path, report);
  else if (value !== undefined && !/^[0-9]{1,4}%$/.test(value))
    report({ path, value, message: 'must be a whole number, or a percentage such as 25%' });
}
