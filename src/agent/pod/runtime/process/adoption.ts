import { readdirSync, rmdirSync, rmSync } from 'node:fs';
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

/** Removes the runtime's part of a pod's folder, and the folder with it unless volumes lie there. */
export function clearPodFolder(pod: string): void {
  rmSync(join(pod, 'runtime'), { recursive: true, force: true, maxRetries: 5 });
  try {
    rmdirSync(pod);
  } catch {
    // ENOTEMPTY: the pod's worker knows what to do with the rest.
  }
}

/**
 * Everything on disk below `pods`. A folder without a readable sandbox record was being made or removed by the agent
 * that died, and is cleared.
 */
export function findPods(pods: string): readonly FoundPod[] {
  return foldersIn(pods).flatMap((pod) => {
    const runtime = join(pod, 'runtime');
    const sandbox = readRecord<SandboxRecord>(sandboxFile(runtime));
    if (sandbox === undefined) {
      clearPodFolder(pod);
      return [];
    }
    const lives = foldersIn(runtime).flatMap((folder) => {
      const record = readRecord<ContainerRecord>(containerFile(folder));
      return record === undefined ? [] : [{ folder, record }];
    });
    return [{ sandbox, lives }];
  });
}
