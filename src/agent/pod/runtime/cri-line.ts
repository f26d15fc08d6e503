import type { LogLine } from '../../../model/life.ts';

/** Longest text of one record; a longer line continues in the next (tag P). Source: containerd's CRI log format. */
export const LONGEST_TEXT_BYTES = 16 * 1024;

/** `<rfc3339nano> <stream> <F|P> ` before the text. F ends a line, P says it goes on. Source: CRI logging KEP. */
export function criPrefix(atMs: number, stream: LogLine['stream'], tag: 'F' | 'P'): string {
  return `${new Date(atMs).toISOString().slice(0, -1)}000000Z ${stream} ${tag} `;
}

/** One line of a CRI log file; undefined when it is none (a line cut by a crash). */
export function parseCriLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) [FP](?: (.*))?$/s.exec(line);
  const at = match === null ? Number.NaN : Date.parse(match[1]!);
  if (match === null || Number.isNaN(at)) return undefined;
  return { at, stream: match[2] as LogLine['stream'], text: match[3] ?? '' };
}
