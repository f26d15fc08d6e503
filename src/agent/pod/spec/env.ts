import type { Container, EnvVar } from '../../../model/kubernetes.ts';
import { CodedError } from '../../../util/coded-error.ts';
import type { PodRecord } from '../pod-record.ts';
import { expand } from './expansion.ts';
import { fieldValue, type NodeFacts, resourceValue } from './field-ref.ts';
import { entriesOf, type References } from './references.ts';

/**
 * The environment of a container: `envFrom` in order, then `env` in order, where `$(NAME)` may use what came
 * before; of a name given twice the last counts.
 *
 * @throws CodedError `CreateContainerConfigError` in the kubelet's words when a ConfigMap, Secret or key that is not
 * optional is missing.
 * Source: kubernetes/pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables
 */
export function resolveEnv(
  container: Container,
  pod: PodRecord,
  references: References,
  node: NodeFacts,
): ReadonlyMap<string, string> {
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const [kind, ref] = source.configMapRef
      ? (['configmap', source.configMapRef] as const)
      : (['secret', source.secretRef!] as const);
    const entries = entriesOf(references, kind, ref.name);
    if (entries === undefined && !ref.optional) throw notFound(kind, ref.name);
    for (const [key, value] of entries ?? []) {
      const name = `${source.prefix ?? ''}${key}`;
      if (isEnvName(name)) env.set(name, value.toString('utf8'));
    }
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, env, container, pod, references, node);
    if (value !== undefined) env.set(variable.name, value);
  }
  return env;
}

/** Printable ASCII without `=`. Source: k8s.io/apimachinery, IsRelaxedEnvVarName */
export const isEnvName = (name: string) => /^[\x20-\x3c\x3e-\x7e]+$/.test(name);

function variableValue(
  variable: EnvVar,
  env: ReadonlyMap<string, string>,
  container: Container,
  pod: PodRecord,
  references: References,
  node: NodeFacts,
): string | undefined {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? '', (name) => env.get(name));
  if (from.fieldRef) return fieldValue(from.fieldRef.fieldPath, pod, node);
  if (from.resourceFieldRef) return resourceValue(from.resourceFieldRef, pod.spec, container, node);
  const [kind, ref] = from.configMapKeyRef
    ? (['configmap', from.configMapKeyRef] as const)
    : (['secret', from.secretKeyRef!] as const);
  const entries = entriesOf(references, kind, ref.name);
  const value = entries?.get(ref.key);
  if (value !== undefined) return value.toString('utf8');
  if (ref.optional) return undefined;
  if (entries === undefined) throw notFound(kind, ref.name);
  const word = kind === 'configmap' ? 'ConfigMap' : 'Secret';
  throw configError(`couldn't find key ${ref.key} in ${word} ${pod.ref.namespace}/${ref.name}`);
}

const notFound = (kind: string, name: string) => configError(`${kind} "${name}" not found`);
const configError = (message: string) => new CodedError('CreateContainerConfigError', message);
