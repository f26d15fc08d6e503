import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from '../../../host/process-identity.ts';
import type { CgroupPaths, ContainerConfig, SandboxConfig } from '../runtime.ts';

/** What the disk knows of a sandbox. Written before its processes exist (without `infra`), then again with it. */
export interface SandboxRecord {
  readonly config: SandboxConfig;
  readonly cgroup: CgroupPaths;
  readonly ip?: string;
  readonly infra?: ProcessIdentity;
}

/** What the disk knows of one life. `main` is set once the command runs; a record without it is half-made. */
export interface ContainerRecord {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly cgroup: CgroupPaths;
  readonly shim?: ProcessIdentity;
  readonly main?: ProcessIdentity;
  readonly startedAt?: number;
}

export const sandboxFile = (folder: string) => join(folder, 'sandbox.json');
export const containerFile = (folder: string) => join(folder, 'container.json');

/**
 * Replaces the file in one step, readable for root alone: it may hold secrets from the environment. A half-made one is
 * there for the processes that are about to be: who loses power loses them too, so it need not be on the disk.
 */
export function writeRecord(path: string, record: SandboxRecord | ContainerRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.next`;
  const fd = openSync(next, 'w', 0o600);
  try {
    writeSync(fd, JSON.stringify(record));
    if ('infra' in record || 'main' in record) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(next, path);
}

/** As `writeRecord`, off the main thread. */
export async function writeDurably(path: string, record: SandboxRecord): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

/** Undefined when there is none, or when it was cut short. */
export function readRecord<T extends SandboxRecord | ContainerRecord>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
