import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { TargetGroup } from './scrape-config.ts';

/** A file that lists targets, as last read; `signature` tells whether it has changed since. */
interface KnownFile {
  readonly signature: string;
  readonly groups: readonly TargetGroup[];
}

export interface FileDiscovery {
  /** Looks at the files again; undefined when nothing changed since. A file that cannot be read keeps its last groups. */
  poll(): Promise<readonly TargetGroup[] | undefined>;
}

const LARGEST_FILE_BYTES = 16 * 2 ** 20;
const MOST_FILES = 1000;

const groupsSchema = z.array(
  z.strictObject({
    targets: z.array(z.string().max(1024)).max(100_000),
    labels: z.record(z.string().min(1), z.string()).optional(),
  }),
);

/**
 * Prometheus' `file_sd_configs`: JSON or YAML lists of `targets` and `labels`.
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
 */
export function createFileDiscovery(
  patterns: readonly string[],
  onBadFile: (error: CodedError) => void,
): FileDiscovery {
  let known = new Map<string, KnownFile>();
  let polledBefore = false;

  const look = async (path: string): Promise<KnownFile | undefined> => {
    const before = known.get(path);
    const signature = await signatureOf(path);
    // Deleted: its targets go.
    if (signature === undefined) return undefined;
    if (signature === before?.signature) return before;
    try {
      return { signature, groups: await readGroups(path) };
    } catch (error) {
      onBadFile(
        new CodedError('FILE_SD_INVALID', `${path}: ${messageOf(error)}; its last good targets are kept`, {
          cause: error,
        }),
      );
      return { signature, groups: before?.groups ?? [] };
    }
  };

  return {
    async poll() {
      const found = new Map<string, KnownFile>();
      for (const path of await matchingFiles(patterns)) {
        const file = await look(path);
        if (file) found.set(path, file);
      }
      const changed =
        !polledBefore ||
        found.size !== known.size ||
        [...found].some(([path, file]) => known.get(path)?.groups !== file.groups);
      known = found;
      polledBefore = true;
      return changed ? [...found.values()].flatMap(({ groups }) => groups) : undefined;
    },
  };
}

async function matchingFiles(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const [before, after] = basename(pattern).split('*');
    if (after === undefined) {
      found.add(pattern);
      continue;
    }
    const names = await readdir(dirname(pattern)).catch(() => []);
    for (const name of names)
      if (name.length >= before!.length + after.length && name.startsWith(before!) && name.endsWith(after))
        found.add(join(dirname(pattern), name));
  }
  return [...found].sort().slice(0, MOST_FILES);
}

async function signatureOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() ? `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : undefined;
}

async function readGroups(path: string): Promise<readonly TargetGroup[]> {
  const { size } = await stat(path);
  if (size > LARGEST_FILE_BYTES)
    throw new Error(`it has ${size} bytes; at most ${LARGEST_FILE_BYTES} are read`);
  const text = await readFile(path, 'utf8');
  const result = groupsSchema.safeParse((path.endsWith('.json') ? JSON.parse(text) : parse(text)) ?? []);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new Error(`${issue.path.join('.') || 'the list'}: ${issue.message}`);
  }
  return result.data.map(({ targets, labels }) => ({
    targets,
    labels: { ...labels, __meta_filepath: path },
  }));
}
