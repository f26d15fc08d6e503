import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** A kernel file that is read again and again. `gone` once it cannot be opened or read any more. */
export interface KernelFile {
  readonly path: string;
  readonly gone: boolean;
}

interface OpenableFile extends KernelFile {
  gone: boolean;
  descriptor: number;
  readInRound: number;
}

/**
 * Kernel files kept open, because opening costs five times what reading does. All reads go into one shared buffer,
 * which the next read overwrites.
 */
export interface Descriptors {
  readonly buffer: Buffer;
  file(path: string): KernelFile;
  /**
   * Reads a file from its start and returns the number of bytes now in `buffer`, or -1 when the file is gone (its
   * cgroup or process has ended) or cannot be read. `whole` goes on to the end of files the kernel hands out in pages
   * (lists such as net/dev), as far as the buffer goes.
   */
  read(file: KernelFile, whole?: boolean): number;
  release(file: KernelFile): void;
  /** Begins the next round: files that were not read in the last few rounds may give their place to others. */
  nextRound(): void;
  readonly open: number;
  close(): void;
}

const BUFFER_BYTES = 64 * 1024;
const IDLE_ROUNDS = 8;
/** What the rest of the agent needs: sockets, logs, its database. */
const RESERVED = 256;
const LEAST = 64;

/** How many files may be kept open: half of the soft limit of this process, less what the agent needs itself. */
export function descriptorLimit(limits = readFileSync('/proc/self/limits', 'utf8')): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  const allowed = soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft ?? 1024);
  return Math.max(LEAST, Math.floor((allowed - RESERVED) / 2));
}

/**
 * At most `limit` files are open at once. When all places are taken by files that are still in use, others are opened
 * for each read: throwing out a file that is due again soon would make every read the dear one.
 */
export function createDescriptors(limit: number): Descriptors {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const opened = new Set<OpenableFile>();
  let round = 0;

  const close = (file: OpenableFile) => {
    if (file.descriptor !== -1) closeSync(file.descriptor);
    file.descriptor = -1;
    opened.delete(file);
  };

  const makeRoom = () => {
    if (opened.size < limit) return true;
    let oldest: OpenableFile | undefined;
    for (const file of opened) {
      if (file.readInRound <= round - IDLE_ROUNDS && file.readInRound < (oldest?.readInRound ?? round)) {
        oldest = file;
      }
    }
    if (oldest) close(oldest);
    return oldest !== undefined;
  };

  const readFrom = (descriptor: number, whole: boolean) => {
    let length = readSync(descriptor, buffer, 0, buffer.length, 0);
    if (!whole) return length;
    for (let more = length; more > 0 && length < buffer.length; length += more) {
      more = readSync(descriptor, buffer, length, buffer.length - length, length);
    }
    return length;
  };

  return {
    buffer,
    file: (path) =>
      ({ path, gone: false, descriptor: -1, readInRound: round }) satisfies OpenableFile as KernelFile,
    read(kernelFile, whole = false) {
      const file = kernelFile as OpenableFile;
      if (file.gone) return -1;
      file.readInRound = round;
      try {
        if (file.descriptor !== -1) return readFrom(file.descriptor, whole);
        const keep = makeRoom();
        file.descriptor = openSync(file.path, 'r');
        if (keep) opened.add(file);
        const length = readFrom(file.descriptor, whole);
        if (!keep) close(file);
        return length;
      } catch (error) {
        close(file);
        file.gone = !isPassing(error);
        return -1;
      }
    },
    release: (file) => close(file as OpenableFile),
    nextRound: () => {
      round += 1;
    },
    get open() {
      return opened.size;
    },
    close() {
      for (const file of opened) close(file);
    },
  };
}

/** Out of descriptors or memory now; everything else (ENOENT, ENODEV, ESRCH, EACCES) stays as it is. */
function isPassing(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'EINTR', 'EAGAIN'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
