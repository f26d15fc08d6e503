import type { LogLine } from '../../model/life.ts';
import { redactLog } from '../redaction/redaction.ts';

export const MOST_LOG_LINES = 100;
export const MOST_LOG_BYTES = 32 * 1024;
const MOST_LINE_CHARACTERS = 4096;

/** The end of a life's log as its record keeps it: redacted, at most 100 lines and 32 KiB, the newest of them. */
export function logTail(lines: readonly LogLine[]): readonly LogLine[] {
  const kept: LogLine[] = [];
  let bytes = 0;
  for (const line of redactLog(newest(lines)).toReversed()) {
    const { text } = line;
    const cut = text.length > MOST_LINE_CHARACTERS ? `${text.slice(0, MOST_LINE_CHARACTERS - 1)}…` : text;
    bytes += Buffer.byteLength(cut) + 1;
    if (bytes > MOST_LOG_BYTES) break;
    kept.unshift(cut === text ? line : { ...line, text: cut });
  }
  return kept;
}

/** Those that may be kept: what is not need not be looked through for secrets. */
function newest(lines: readonly LogLine[]): readonly LogLine[] {
  let bytes = 0;
  const first = lines.findLastIndex(({ text }) => {
    bytes += Math.min(text.length, MOST_LINE_CHARACTERS) + 1;
    return bytes > MOST_LOG_BYTES;
  });
  return lines.slice(first + 1).slice(-MOST_LOG_LINES);
}
