import { z } from 'zod';
import type { RegistryLogin } from '../runtime/runtime.ts';
import { entriesOf, type References } from '../spec/references.ts';
import { parseImageReference } from './image-reference.ts';

const login = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  /** `user:password` in base64. */
  auth: z.string().optional(),
});
const dockerConfig = z.object({ auths: z.record(z.string(), login) });
const dockerCfg = z.record(z.string(), login);

const DOCKER_HUB = 'docker.io';
const HUB_NAMES: readonly string[] = ['index.docker.io', 'registry-1.docker.io', 'hub.docker.com'];

/**
 * The logins for an image that a pod's `imagePullSecrets` hold, the closest match first. Secrets that are missing or
 * cannot be read are passed over: the registry has the last word, as with the kubelet.
 * Source: kubernetes/pkg/credentialprovider/keyring.go
 */
export function pullLogins(
  image: string,
  secretNames: readonly string[],
  references: References,
): readonly RegistryLogin[] {
  const reference = parseImageReference(image);
  if (reference === undefined) return [];
  const place = `${reference.registry ?? DOCKER_HUB}/${reference.repository}`;
  return secretNames
    .flatMap((name) => loginsOf(entriesOf(references, 'secret', name)))
    .filter(({ registry }) => place === registry || place.startsWith(`${registry}/`))
    .sort((a, b) => b.registry.length - a.registry.length);
}

function loginsOf(entries: ReadonlyMap<string, Buffer> | undefined): readonly RegistryLogin[] {
  const auths =
    parsed(entries?.get('.dockerconfigjson'), dockerConfig)?.auths ??
    parsed(entries?.get('.dockercfg'), dockerCfg) ??
    {};
  return Object.entries(auths).flatMap(([address, { username, password, auth }]) => {
    const decoded = auth === undefined ? '' : Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    const name = username ?? (colon < 0 ? undefined : decoded.slice(0, colon));
    const word = password ?? (colon < 0 ? undefined : decoded.slice(colon + 1));
    return name === undefined || word === undefined
      ? []
      : [{ registry: registryOf(address), username: name, password: word }];
  });
}

function parsed<T>(bytes: Buffer | undefined, schema: z.ZodType<T>): T | undefined {
  if (bytes === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** `https://index.docker.io/v1/` and `docker.io` are one. */
function registryOf(address: string): string {
  const place = address
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/+$/, '');
  const [host, ...path] = place.split('/');
  return [HUB_NAMES.includes(host!) ? DOCKER_HUB : host, ...path].join('/');
}
