const HEAD_BYTES = 8;
const STDERR = 2;

/**
 * Takes apart the attach stream: 8 bytes of head (stream, then length), then that many bytes, told as they come.
 * Source: Docker's attach stream format, which libpod follows.
 */
export function createFrames(
  onBytes: (stream: 'stdout' | 'stderr', bytes: Buffer) => void,
): (chunk: Buffer) => void {
  let head: Buffer = Buffer.alloc(0);
  let left = 0;
  return (chunk) => {
    let from = 0;
    while (from < chunk.length) {
      if (left === 0) {
        const part = chunk.subarray(from, from + HEAD_BYTES - head.length);
        head = Buffer.concat([head, part]);
        from += part.length;
        if (head.length < HEAD_BYTES) return;
        left = head.readUInt32BE(4);
        if (left === 0) head = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(from, from + left);
      from += part.length;
      left -= part.length;
      onBytes(head[0] === STDERR ? 'stderr' : 'stdout', part);
      if (left === 0) head = Buffer.alloc(0);
    }
  };
}
