import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Who has a journal open, in a small file beside it: the lock itself is SQLite's and cannot tell. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
}

const holderPath = (journalPath: string) => `${journalPath}.holder`;

export function writeHolder(journalPath: string): void {
  const holder: Holder = { pid: process.pid, command: process.argv.slice(0, 3).join(' ').slice(0, 200) };
  try {
    writeFileSync(holderPath(journalPath), JSON.stringify(holder), { mode: 0o600 });
  } catch {
    // On a full disk nobody is told who holds the journal; that is no reason not to open it.
  }
}

export function removeHolder(journalPath: string): void {
  try {
    rmSync(holderPath(journalPath), { force: true });
  } catch {
    // On a disk that became read-only it stays, and the next holder writes its own.
  }
}

/** Words for an error message: `process 4711 (node main.ts collector)`, or `another process`. */
export function describeHolder(journalPath: string): string {
  try {
    const holder = JSON.parse(readFileSync(holderPath(journalPath), 'utf8')) as Partial<Holder>;
    return `process ${Number(holder.pid)} (${String(holder.command)})`;
  } catch {
    return 'another process';
  }
}
