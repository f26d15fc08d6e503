import { isCodedError } from '../../../util/coded-error.ts';
import { nothing } from '../../engines/podman/answers.ts';
import type { PodmanClient } from '../../engines/podman/podman-client.ts';
import type { PodVerb } from '../../pod/worker/pod-control.ts';
import type { PodmanPod } from './podman-pod.ts';

/** A container is waited for as long as its own stop timeout says, one after another. */
const WAIT_MS = 600_000;

type Asked = Pick<PodmanClient, 'ask'>;

const pathOf = ({ podId, record }: PodmanPod) =>
  podId === '' ? `/containers/${record.ref.uid}` : `/pods/${podId}`;

/** @throws CodedError `PODMAN_*` in Podman's words. */
export async function controlPod(client: Asked, pod: PodmanPod, verb: PodVerb): Promise<void> {
  await client.ask({ method: 'POST', path: `${pathOf(pod)}/${verb}`, timeoutMs: WAIT_MS }, nothing);
}

/** Stops it by `graceSeconds`, or by its containers' own timeouts, and removes it. Gone already is as good. */
export async function removePod(client: Asked, pod: PodmanPod, graceSeconds?: number): Promise<void> {
  const path = pathOf(pod);
  try {
    if (graceSeconds === 0)
      // Who does not run cannot be killed.
      await client
        .ask({ method: 'POST', path: `${path}/kill`, query: { signal: 'SIGKILL' } }, nothing)
        .catch(() => undefined);
    else {
      const name = pod.podId === '' ? 'timeout' : 't';
      const query = graceSeconds === undefined ? {} : { [name]: graceSeconds };
      await client
        .ask({ method: 'POST', path: `${path}/stop`, query, timeoutMs: WAIT_MS }, nothing)
        .catch(() => undefined);
    }
    await client.ask({ method: 'DELETE', path, query: { force: true }, timeoutMs: WAIT_MS }, nothing);
  } catch (error) {
    if (!isCodedError(error) || error.status !== 404) throw error;
  }
}
