import type { TextBytes, WriteText } from '../../src/collector/api/text-bytes.ts';

/** All that is written, at once. */
export function writtenText(write: WriteText): string {
  const out: TextBytes = { bytes: Buffer.alloc(64), at: 0 };
  for (const _ of write(out));
  return out.bytes.toString('utf8', 0, out.at);
}
