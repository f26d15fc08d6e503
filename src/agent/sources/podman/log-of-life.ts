import type { LogLine } from '../../../model/life.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { PodmanClient } from '../../engines/podman/podman-client.ts';
import type { LifeSpan } from './podman-pod.ts';

/** Podman keeps one log over all lives of a container; an earlier life's lines are looked for among so many. */
const MOST_LINES = 5000;
/** Podman's API stamps lines to the second. */
const STAMP_MS = 1000;

/** The newest lines of one life, oldest first; none where the container is gone. */
export async function logOfLife(
  client: Pick<PodmanClient, 'logs'>,
  id: string,
  spans: readonly LifeSpan[],
  attempt: number,
  { tail = MOST_LINES, sinceMs = 0 }: { readonly tail?: number; readonly sinceMs?: number },
): Promise<readonly LogLine[]> {
  const index = spans.findIndex((span) => span.attempt === attempt);
  if (index === -1) return [];
  const { startedMs } = spans[index]!;
  const next = spans[index + 1];
  const lines: LogLine[] = [];
  try {
    await client.logs(id, { tail: next ? MOST_LINES : Math.min(tail, MOST_LINES) }, (line) => {
      lines.push(line);
    });
  } catch (error) {
    if (isCodedError(error) && error.code === 'PODMAN_NOT_FOUND') return [];
    throw error;
  }
  const from = Math.max(sinceMs, Math.floor(startedMs / STAMP_MS) * STAMP_MS);
  return lines.filter(({ at }) => at >= from && (!next || at < next.startedMs)).slice(-tail);
}
