import { isCodedError } from '../../../../util/coded-error.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';

const STOP_MS = 60_000;

/** Removes a pod or container with all that runs in it and its anonymous volumes; one that is gone is as good. */
export async function removeForced(client: Pick<PodmanClient, 'ask'>, path: string): Promise<void> {
  try {
    await client.ask(
      { method: 'DELETE', path, query: { force: true, v: true }, timeoutMs: STOP_MS },
      nothing,
    );
  } catch (error) {
    if (!isCodedError(error) || error.status !== 404) throw error;
  }
}
