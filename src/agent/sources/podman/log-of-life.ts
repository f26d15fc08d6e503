import { lstatSync, statSync } from 'node:fs';
import type { LogLine } from '../../../model/life.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { PodmanClient } from '../../engines/podman/podman-client.ts';
import { readLogFile } from '../../pod/runtime/log-reader.ts';
import type { LifeSpan } from './podman-pod.ts';

/** Podman keeps one log over all lives of a container; an earlier life's lines are looked for among so many. */
const MOST_LINES = 5000;
/** Podman's API stamps lines to the second. */
const STAMP_MS = 1000;

export interface LogSource {
  readonly client: Pick<PodmanClient, 'logs' | 'container'>;
  readonly socket: string;
}

/** The newest lines of one life, oldest first; none where the container is gone. */
export async function logOfLife(
  source: LogSource,
  id: string,
  spans: readonly LifeSpan[],
  attempt: number,
  { tail = MOST_LINES, sinceMs = 0 }: { readonly tail?: number; readonly sinceMs?: number },
): Promise<readonly LogLine[]> {
  const index = spans.findIndex((span) => span.attempt === attempt);
  if (index === -1) return [];
  try {
    const asked = { tail: spans[index + 1] ? MOST_LINES : Math.min(tail, MOST_LINES) };
    const exact = await linesOfFile(source, id, asked.tail);
    const [from, to] = exact ? bounds(spans, index) : coarseBounds(spans, index);
    const lines = exact ?? (await linesOfPodman(source, id, asked));
    return lines.filter(({ at }) => at >= from && at < to && at >= sinceMs).slice(-tail);
  } catch (error) {
    if (isCodedError(error) && error.code === 'PODMAN_NOT_FOUND') return [];
    throw error;
  }
}

/** A life writes after the end of the one before, also before Podman tells that it has begun. */
function bounds(spans: readonly LifeSpan[], index: number): readonly [fromMs: number, toMs: number] {
  const [before, own, next] = [spans[index - 1], spans[index]!, spans[index + 1]];
  const from = before?.endedMs ?? (own.attempt === 0 ? 0 : own.startedMs - STAMP_MS);
  return [from, next === undefined ? Infinity : (own.endedMs ?? next.startedMs)];
}

function coarseBounds(spans: readonly LifeSpan[], index: number): readonly [fromMs: number, toMs: number] {
  const from = Math.floor(spans[index]!.startedMs / STAMP_MS) * STAMP_MS;
  return [from, spans[index + 1]?.startedMs ?? Infinity];
}

async function linesOfPodman(
  { client }: LogSource,
  id: string,
  options: { readonly tail: number },
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  await client.logs(id, options, (line) => lines.push(line));
  return lines;
}

/**
 * The lines as they lie on the disk, with times to the millisecond; undefined where they are not in a file. Only of a
 * Podman of the agent's own user: another's could name any file of the host.
 */
async function linesOfFile(
  { client, socket }: LogSource,
  id: string,
  tail: number,
): Promise<readonly LogLine[] | undefined> {
  if (statSync(socket, { throwIfNoEntry: false })?.uid !== process.getuid?.()) return undefined;
  const { LogConfig } = (await client.container(id)).HostConfig;
  if (LogConfig?.Type !== 'k8s-file' || LogConfig.Path === '') return undefined;
  try {
    return lstatSync(LogConfig.Path).isFile() ? readLogFile(LogConfig.Path, { tail }) : undefined;
  } catch {
    return undefined;
  }
}
