import type { ConfigMap, Secret } from '../../../model/kubernetes.ts';

/** Finds the ConfigMaps and Secrets a pod refers to, in its own namespace. */
export interface References {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** The entries of a ConfigMap or Secret as bytes, or undefined when there is no such object. */
export function entriesOf(
  references: References,
  kind: 'configmap' | 'secret',
  name: string,
): ReadonlyMap<string, Buffer> | undefined {
  const entries = new Map<string, Buffer>();
  if (kind === 'secret') {
    const secret = references.secret(name);
    if (!secret) return undefined;
    for (const [key, value] of Object.entries(secret.data ?? {}))
      entries.set(key, Buffer.from(value, 'base64'));
    return entries;
  }
  const configMap = references.configMap(name);
  if (!configMap) return undefined;
  for (const [key, value] of Object.entries(configMap.data ?? {}))
    entries.set(key, Buffer.from(value, 'utf8'));
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) {
    entries.set(key, Buffer.from(value, 'base64'));
  }
  return entries;
}
