import { CodedError, isCodedError, messageOf } from '../../../../util/coded-error.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';
import type { PullOptions, RegistryLogin } from '../runtime.ts';
import { image as imageAnswer, pullLine } from './answers.ts';

/** A large image over a slow line: so long nothing may come before it is given up. */
const PULL_SILENCE_MS = 10 * 60_000;

/** The id of an image that is here. Other failures than that it is not are the caller's. */
export async function findImage(client: PodmanClient, image: string): Promise<string | undefined> {
  try {
    const { Id } = await client.ask({ path: `/images/${encodeURIComponent(image)}/json` }, imageAnswer);
    return Id;
  } catch (error) {
    if (isCodedError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/** Whom an image's containers run as: root where it names nobody; undefined where there is no such image. */
export async function imageUser(client: PodmanClient, image: string): Promise<number | string | undefined> {
  try {
    const { User } = await client.ask({ path: `/images/${encodeURIComponent(image)}/json` }, imageAnswer);
    const [user = ''] = (User ?? '').split(':');
    return /^\d*$/.test(user) ? Number(user) : user;
  } catch (error) {
    if (isCodedError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/** @throws CodedError `ErrImagePull`, in Podman's words. */
export async function pullImage(
  client: PodmanClient,
  image: string,
  { signal, logins = [] }: PullOptions,
): Promise<string> {
  if (image === 'host' || image === '') {
    throw pullError(
      'image "host" stands for the programs of this host, which the process runtime runs: name an image, or start podvitals with --runtime process',
    );
  }
  let failure: CodedError | undefined;
  for (const login of logins.length === 0 ? [undefined] : logins) {
    signal?.throwIfAborted();
    try {
      return await pullOnce(client, image, login, signal);
    } catch (error) {
      if (signal?.aborted || !isCodedError(error)) throw error;
      failure = error;
    }
  }
  throw failure!;
}

async function pullOnce(
  client: PodmanClient,
  image: string,
  login: RegistryLogin | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  let said: string;
  try {
    said = await client.text({
      method: 'POST',
      path: '/images/pull',
      query: { reference: image, policy: 'always', quiet: true },
      timeoutMs: PULL_SILENCE_MS,
      ...(login === undefined ? {} : { headers: { 'x-registry-auth': registryAuth(login) } }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw pullError(messageOf(error), error);
  }
  const lines = said.split('\n').flatMap((line) => {
    try {
      return [pullLine.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
  const error = lines.find((line) => line.error)?.error;
  if (error) throw pullError(error.trim());
  const id = lines.findLast((line) => line.id)?.id ?? (await findImage(client, image));
  if (id === undefined) throw pullError(`Podman pulled ${image} and has no such image`);
  return id;
}

const pullError = (message: string, cause?: unknown) =>
  new CodedError('ErrImagePull', message, { status: 422, cause });

/** Source: libpod's REST API, header X-Registry-Auth */
const registryAuth = ({ username, password }: RegistryLogin) =>
  Buffer.from(JSON.stringify({ username, password })).toString('base64url');
