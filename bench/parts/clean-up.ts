import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const works = new Set<() => unknown>();
let stopping = false;

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // The newest first: who uses a folder ends before the folder does.
  for (const work of [...works].reverse()) {
    try {
      await work();
    } catch (error) {
      console.error(error);
    }
  }
  process.exit(exitCode);
}

process.on('SIGINT', () => void stop(130));
process.on('SIGTERM', () => void stop(143));
process.on('SIGHUP', () => void stop(129));

/** Done when the benchmark is stopped by a signal before its own end. Returns what takes that back. */
export function whenStopped(work: () => unknown): () => void {
  works.add(work);
  return () => void works.delete(work);
}

/** A folder for one benchmark, and its removal, also when it is stopped. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'podvitals-bench-'));
  const clear = () => rmSync(path, { recursive: true, force: true });
  const forget = whenStopped(clear);
  return {
    path,
    remove() {
      forget();
      clear();
    },
  };
}
