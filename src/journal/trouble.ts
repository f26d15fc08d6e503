import { CodedError, messageOf } from '../util/coded-error.ts';

/**
 * How the file fares: `ok`, or the trouble that made the last write or read fail; writes are retried by callers.
 * `damage` is what was found wrong with the file since it was opened, or was mended when it was, in words; `behind` why
 * commits stay in the write-ahead log, though they are safe there.
 */
export type JournalState = (
  | { readonly kind: 'ok' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly sinceMs: number }
) & { readonly damage?: string; readonly behind?: string };

interface Trouble {
  readonly code: string;
  readonly what: string;
  readonly remedy: string;
}

// What a start does with a file that its last holder found damaged: salvage.ts.
export const RESTART =
  'restart podvitals: it then moves all that can be read into a new file and keeps the damaged one beside it';

// Primary result codes of https://www.sqlite.org/rescode.html; extended codes keep them in the low byte.
const TROUBLES: Readonly<Record<number, Trouble>> = {
  5: {
    code: 'JOURNAL_LOCKED',
    what: 'is held by another process',
    remedy: 'stop that process, or use another --data-dir',
  },
  8: {
    code: 'JOURNAL_READ_ONLY',
    what: 'cannot be written',
    remedy: 'make the file and its folder writable',
  },
  10: {
    code: 'JOURNAL_IO',
    what: 'could not be read or written',
    remedy: 'look at the disk (dmesg); each write tries again, and is taken once the disk takes it',
  },
  11: {
    code: 'JOURNAL_CORRUPT',
    what: 'is damaged',
    remedy: RESTART,
  },
  13: {
    code: 'JOURNAL_FULL',
    what: 'has no room to grow: the disk is full',
    remedy: 'free space on that disk',
  },
  14: {
    code: 'JOURNAL_CANNOT_OPEN',
    what: 'cannot be opened',
    remedy: 'make its folder readable and writable',
  },
  23: { code: 'JOURNAL_READ_ONLY', what: 'may not be used', remedy: 'check its owner and permissions' },
  26: { code: 'JOURNAL_NOT_A_JOURNAL', what: 'is not a podvitals journal', remedy: 'move the file away' },
};

/** A file that was opened for writing, on a disk that is read-only since. */
export const becameReadOnly = (path: string, cause: unknown): CodedError =>
  new CodedError(
    'JOURNAL_READ_ONLY',
    `${path} cannot be written: its disk has become read-only; look why (dmesg), make it writable (mount -o remount,rw …), ` +
      'and it is written again by itself; where the kernel refuses that, after an error of the file system: stop podvitals, ' +
      'umount, fsck, mount, start podvitals',
    { cause, status: 503 },
  );

/** The CodedError for an error of SQLite's, or the error itself when it is not one that a user can act on. */
export function toJournalError(error: unknown, path: string): unknown {
  if (error instanceof CodedError) return error;
  const errcode = (error as { readonly errcode?: unknown } | null)?.errcode;
  if (typeof errcode !== 'number') return error;
  const trouble = TROUBLES[errcode & 0xff];
  if (trouble === undefined) return error;
  return new CodedError(trouble.code, `${path} ${trouble.what} (${messageOf(error)}); ${trouble.remedy}`, {
    cause: error,
    status: 503,
  });
}
