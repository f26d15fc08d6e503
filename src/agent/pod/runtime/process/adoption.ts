import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ContainerRecord,
  containerFile,
  readRecord,
  type SandboxRecord,
  sandboxFile,
} from './record.ts';

/** A pod as an earlier agent left it on disk. */
export interface FoundPod {
  readonly sandbox: SandboxRecord;
  readonly lives: readonly { readonly folder: string; readonly record: ContainerRecord }[];
}

const foldersIn = (path: string): readonly string[] => {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
};

/**
 * Everything on disk below `pods`. A folder without a readable sandbox record was being made or removed by the agent
 * that died: it holds no processes that are not found by cgroup, and is removed when it holds a `runtime` part.
 */
export function findPods(pods: string): readonly FoundPod[] {
  return foldersIn(pods).flatMap((pod) => {
    const runtime = join(pod, 'runtime');
    const sandbox = readRecord<SandboxRecord>(sandboxFile(runtime));
    if (sandbox === undefined) {
      rmSync(pod, { recursive: true, force: true });
      return [];
    }
    const lives = foldersIn(runtime).flatMap((folder) => {
      const record = readRecord<ContainerRecord>(containerFile(folder));
      return record === undefined ? [] : [{ folder, record }];
    });
    return [{ sandbox, lives }];
  });
}
