import type { DatabaseSync } from 'node:sqlite';
import type { CancelTimer, Clock } from '../util/clock.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';

/**
 * Moves what is committed from the write-ahead log into the file, between commits, soon enough that one such move holds
 * the thread for some milliseconds. One that fails is tried again for as long as it takes.
 */
export interface Checkpoints {
  /** To be called after each commit. */
  committed(): void;
  /** Why the log is not moved into the file, and what it has grown to, in words; undefined when all is well. */
  readonly behind: string | undefined;
  /** Why no more may be written: the log has no bound of its own. */
  readonly refusal: { readonly error: CodedError; readonly sinceMs: number } | undefined;
  /** No more of them. */
  stop(): void;
}

export interface CheckpointOptions {
  readonly clock: Clock;
  readonly path: string;
  /** A log longer than this takes no more; 1 GiB when left out. */
  readonly mostLogBytes?: number | undefined;
  /** What SQLite says went wrong, as an error of the journal's. */
  readonly toError: (error: unknown) => unknown;
  readonly onCorrupt: (error: CodedError) => void;
}

// SQLite's own checkpoint runs inside the commit that crosses 1,000 pages and stalls it.
const AFTER_MS = 5_000;
/** Eight megabytes, about 7 ms of CPU. */
const AFTER_PAGES = 2_000;
const MOST_LOG_BYTES = 2 ** 30;
const FRAME_HEADER_BYTES = 24;
// A statement that is still being read is in the way for a moment.
const SQLITE_LOCKED = 6;

export function createCheckpoints(db: DatabaseSync, options: CheckpointOptions): Checkpoints {
  const { clock, path, mostLogBytes = MOST_LOG_BYTES } = options;
  const pages = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  const move = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const frameBytes = Number(db.prepare('PRAGMA page_size').get()?.page_size) + FRAME_HEADER_BYTES;
  let cancel: CancelTimer | undefined;
  let soon: NodeJS.Immediate | undefined;
  let failed: { readonly message: string; readonly sinceMs: number } | undefined;
  let fullSinceMs: number | undefined;
  let logBytes = 0;

  const look = () => {
    const frames = Number(pages.get()?.log);
    logBytes = frames * frameBytes;
    if (failed === undefined || logBytes < mostLogBytes) fullSinceMs = undefined;
    else fullSinceMs ??= clock.now();
    return frames;
  };

  const fail = (cause: unknown) => {
    const code = (cause as { readonly errcode?: unknown } | null)?.errcode;
    if (code === SQLITE_LOCKED) return;
    const error = options.toError(cause);
    if (error instanceof CodedError && error.code === 'JOURNAL_CORRUPT') options.onCorrupt(error);
    failed = { message: messageOf(error), sinceMs: failed?.sinceMs ?? clock.now() };
  };

  const checkpoint = () => {
    cancel?.();
    cancel = undefined;
    soon = undefined;
    try {
      const { log, checkpointed } = move.get() ?? {};
      if (log === checkpointed) failed = undefined;
      else arm();
    } catch (error) {
      fail(error);
      arm();
    }
    look();
  };
  const arm = () => {
    cancel ??= clock.setTimer(AFTER_MS, checkpoint, { unref: true });
  };

  const size = () =>
    logBytes < 2 ** 20 ? `${Math.ceil(logBytes / 1024)} KiB` : `${Math.round(logBytes / 2 ** 20)} MiB`;
  const inWords = ({ message, sinceMs }: { readonly message: string; readonly sinceMs: number }) =>
    `since ${new Date(sinceMs).toISOString()} what is in ${path}-wal, ${size()}, could not be moved into the file, and is tried again each ${AFTER_MS / 1000} seconds: ${message}`;

  return {
    committed() {
      arm();
      // Where it fails the timer tries again: not each commit should wait for that.
      if (look() >= AFTER_PAGES && failed === undefined) soon ??= setImmediate(checkpoint);
    },
    get behind() {
      return failed && inWords(failed);
    },
    get refusal() {
      if (failed === undefined || fullSinceMs === undefined) return undefined;
      const message = `nothing more is taken, so that the disk does not fill up: ${inWords(failed)}`;
      return { error: new CodedError('JOURNAL_LOG_FULL', message, { status: 503 }), sinceMs: fullSinceMs };
    },
    stop() {
      cancel?.();
      clearImmediate(soon);
    },
  };
}
