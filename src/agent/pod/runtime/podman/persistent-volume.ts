import { z } from 'zod';
import { CodedError, isCodedError, messageOf } from '../../../../util/coded-error.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';

const answer = z.object({ Mountpoint: z.string().min(1) });

/**
 * Podman's volume that holds the data of a claim: of the claim's name, as `podman kube play` has it; beyond the namespace
 * `default` the namespace goes before, which no claim's name can be mistaken for.
 */
export const volumeName = (namespace: string, claim: string) =>
  namespace === 'default' ? claim : `${namespace}_${claim}`;

/** Where it lies on this host; made where it is not there yet. */
export async function persistentVolume(
  client: Pick<PodmanClient, 'ask'>,
  namespace: string,
  claim: string,
): Promise<string> {
  const name = volumeName(namespace, claim);
  const look = () => client.ask({ path: `/volumes/${encodeURIComponent(name)}/json` }, answer);
  try {
    return (await look()).Mountpoint;
  } catch (error) {
    if (!isCodedError(error) || error.status !== 404) throw error;
  }
  try {
    const made = await client.ask({ method: 'POST', path: '/volumes/create', body: { Name: name } }, answer);
    return made.Mountpoint;
  } catch (cause) {
    // Another pod of the same claim may have been faster.
    const found = await look().catch(() => undefined);
    if (found) return found.Mountpoint;
    throw new CodedError('FailedMount', `podman volume create ${name}: ${messageOf(cause)}`, { cause });
  }
}

export async function removePersistentVolume(
  client: Pick<PodmanClient, 'ask'>,
  namespace: string,
  claim: string,
): Promise<void> {
  const path = `/volumes/${encodeURIComponent(volumeName(namespace, claim))}`;
  try {
    await client.ask({ method: 'DELETE', path }, nothing);
  } catch (error) {
    if (!isCodedError(error) || error.status !== 404) throw error;
  }
}
