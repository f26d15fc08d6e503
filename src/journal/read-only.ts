import { closeSync, openSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../util/clock.ts';
import { CodedError } from '../util/coded-error.ts';
import { openDatabase } from './database.ts';
import { writeHolder } from './holder.ts';
import type { Schema } from './schema.ts';
import { toJournalError } from './trouble.ts';
import { isLogDamaged } from './write-ahead-log.ts';

/** A journal that was opened on a disk that cannot be written, and waits until it can. */
export interface ReadOnly {
  /** Why every write rejects. */
  readonly error: CodedError;
  /** Looks, now and then however often it is called; answers the file opened for writing once that is possible. */
  reopened(): DatabaseSync | undefined;
}

export interface ReadOnlyOptions {
  readonly path: string;
  readonly schemas: readonly Schema[];
  readonly clock: Clock;
  /** Why it could not be opened for writing. */
  readonly error: CodedError;
}

const LOOK_AGAIN_MS = 1_000;

export function createReadOnly(options: ReadOnlyOptions): ReadOnly {
  const { path, schemas, clock } = options;
  const seen = stateOf(path);
  let { error } = options;
  let lookAtMs = clock.monotonic() + LOOK_AGAIN_MS;
  let given = false;

  const startAgain = (why: string) => {
    given = true;
    error = new CodedError('JOURNAL_READ_ONLY', `${path} is only read: ${why}; start podvitals again`, {
      status: 503,
    });
  };

  const open = (): DatabaseSync | undefined => {
    closeSync(openSync(path, 'r+'));
    // What its next holder mends is more than what was read of it.
    if (isLogDamaged(`${path}-wal`)) {
      startAgain('its write-ahead log is damaged, and is mended at a start');
      return undefined;
    }
    const opened = openDatabase(path, schemas);
    if (opened.readOnly === undefined && stateOf(path) === seen) return opened.db;
    opened.db.close();
    if (opened.readOnly === undefined) startAgain('another process wrote it meanwhile');
    return undefined;
  };

  return {
    get error() {
      return error;
    },
    reopened() {
      if (given || clock.monotonic() < lookAtMs) return undefined;
      lookAtMs = clock.monotonic() + LOOK_AGAIN_MS;
      try {
        const db = open();
        if (db === undefined) return undefined;
        given = true;
        writeHolder(path);
        return db;
      } catch (cause) {
        const trouble = toJournalError(cause, path);
        if (trouble instanceof CodedError) error = trouble;
        return undefined;
      }
    },
  };
}

/** Another text when the file or its log was written. */
function stateOf(path: string): string {
  const states = [path, `${path}-wal`].map((one) => {
    const found = statSync(one, { throwIfNoEntry: false, bigint: true });
    // Who opens a journal without a log makes an empty one.
    return found === undefined || found.size === 0n ? '' : `${found.ino} ${found.size} ${found.mtimeNs}`;
  });
  return states.join(', ');
}

/** Whether a file beside the journal cannot be made, as its disk became read-only. */
export function isDiskReadOnly(path: string): boolean {
  try {
    closeSync(openSync(`${path}.holder`, 'a'));
    return false;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === 'EROFS';
  }
}
