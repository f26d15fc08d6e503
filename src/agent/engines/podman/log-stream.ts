import type { LogLine } from '../../../model/life.ts';
import { podmanError } from './podman-error.ts';

/** Reads the frames of a container's log: 8 bytes of head (stream, then length), then that many bytes of text. */
export interface LogFrames {
  push(chunk: Buffer): void;
}

const HEAD_BYTES = 8;
const MOST_FRAME = 4 * 2 ** 20;
const STDERR = 2;

/**
 * Frames of `/containers/{name}/logs?timestamps=true`, each of which holds one line with its time before it. A time
 * that cannot be read is that of the line before.
 * Source: Docker's attach stream format, which libpod follows.
 */
export function createLogFrames(onLine: (line: LogLine) => void): LogFrames {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  return {
    push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= HEAD_BYTES) {
        const length = rest.readUInt32BE(4);
        if (rest[0]! > STDERR || length > MOST_FRAME)
          throw podmanError('PODMAN_BAD_ANSWER', 'Podman sent a log that is not in frames');
        if (rest.length < HEAD_BYTES + length) return;
        const text = rest.toString('utf8', HEAD_BYTES, HEAD_BYTES + length).replace(/\r?\n$/, '');
        const stream = rest[0] === STDERR ? 'stderr' : 'stdout';
        rest = rest.subarray(HEAD_BYTES + length);
        const [stamp = '', ...words] = text.split(' ');
        const time = Date.parse(stamp);
        if (!Number.isNaN(time)) at = time;
        onLine({ at, stream, text: Number.isNaN(time) ? text : words.join(' ') });
      }
    },
  };
}
