import type { LabelSelector, PodAffinityTerm, PodSpec } from '../../../model/kubernetes.ts';
import { checkLabels, checkName, checkQualifiedKeys, DNS_LABEL } from './names.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, oneOf } from './rules.ts';

/** Where a pod wants to run, in terms of other pods. Source: kubernetes/pkg/apis/core/validation/validation.go */
export function checkScheduling(spec: PodSpec, path: Path, report: Report): void {
  for (const which of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = spec.affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const place = [...path, 'affinity', which, 'requiredDuringSchedulingIgnoredDuringExecution'];
    for (const [index, term] of terms.entries()) checkTerm(term, [...place, index], report);
  }
  checkSpread(spec, [...path, 'topologySpreadConstraints'], report);
}

function checkTerm(term: PodAffinityTerm, path: Path, report: Report): void {
  const { namespaces = [], namespaceSelector, labelSelector, mismatchLabelKeys = [] } = term;
  checkTopologyKey(term.topologyKey, path, report);
  if (labelSelector) checkLabelSelector(labelSelector, [...path, 'labelSelector'], report);
  if (namespaceSelector) checkLabelSelector(namespaceSelector, [...path, 'namespaceSelector'], report);
  for (const [index, name] of namespaces.entries())
    checkName(name, DNS_LABEL, [...path, 'namespaces', index], report);
  checkKeys(term, 'matchLabelKeys', path, report);
  checkKeys(term, 'mismatchLabelKeys', path, report);
  for (const [index, key] of mismatchLabelKeys.entries())
    if (term.matchLabelKeys?.includes(key))
      report({
        path: [...path, 'mismatchLabelKeys', index],
        value: key,
        message: 'is in matchLabelKeys, too',
      });
}

/** Source: validation.go, validateTopologySpreadConstraints */
function checkSpread({ topologySpreadConstraints = [] }: PodSpec, path: Path, report: Report): void {
  const known = new Set<string>();
  for (const [index, constraint] of topologySpreadConstraints.entries()) {
    const place = [...path, index];
    const { topologyKey, whenUnsatisfiable, labelSelector, maxSkew, minDomains } = constraint;
    checkTopologyKey(topologyKey, place, report);
    atLeast(maxSkew, 1, [...place, 'maxSkew'], report);
    atLeast(minDomains, 1, [...place, 'minDomains'], report);
    oneOf(whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], [...place, 'whenUnsatisfiable'], report);
    if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule')
      report({
        path: [...place, 'minDomains'],
        value: minDomains,
        message: 'may only be set where whenUnsatisfiable is DoNotSchedule',
      });
    for (const policy of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
      oneOf(constraint[policy], ['Ignore', 'Honor'], [...place, policy], report);
    if (labelSelector) checkLabelSelector(labelSelector, [...place, 'labelSelector'], report);
    checkKeys(constraint, 'matchLabelKeys', place, report);
    const kind = JSON.stringify([topologyKey, whenUnsatisfiable]);
    if (known.has(kind))
      report({
        path: place,
        message: `duplicate: another constraint has topologyKey ${topologyKey} and whenUnsatisfiable ${whenUnsatisfiable}`,
      });
    known.add(kind);
  }
}

function checkTopologyKey(key: string, path: Path, report: Report): void {
  if (key === '') report({ path: [...path, 'topologyKey'], value: key, message: 'must be a label of nodes' });
  else checkQualifiedKeys({ [key]: '' }, [...path, 'topologyKey'], report);
}

function checkKeys(
  object: {
    readonly labelSelector?: LabelSelector;
    readonly matchLabelKeys?: readonly string[];
    readonly mismatchLabelKeys?: readonly string[];
  },
  field: 'matchLabelKeys' | 'mismatchLabelKeys',
  path: Path,
  report: Report,
): void {
  const keys = object[field] ?? [];
  if (keys.length > 0 && !object.labelSelector)
    report({ path: [...path, field], message: 'needs a labelSelector' });
  for (const [index, key] of keys.entries())
    checkQualifiedKeys({ [key]: '' }, [...path, field, index], report);
}

function checkLabelSelector(selector: LabelSelector, path: Path, report: Report): void {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  checkLabels(matchLabels, [...path, 'matchLabels'], report);
  for (const [index, { operator, values = [] }] of matchExpressions.entries()) {
    const place = [...path, 'matchExpressions', index];
    oneOf(operator, ['In', 'NotIn', 'Exists', 'DoesNotExist'], [...place, 'operator'], report);
    if (operator.endsWith('In') !== values.length > 0)
      report({
        path: [...place, 'values'],
        message: operator.endsWith('In') ? `required with ${operator}` : `may not be set with ${operator}`,
      });
  }
}
