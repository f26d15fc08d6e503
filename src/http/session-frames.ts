import { CodedError } from '../util/coded-error.ts';

/** The name both sides give in `Upgrade`. */
export const SESSION_PROTOCOL = 'podvitals-session';

/**
 * What a frame carries. The numbers are those of Kubernetes' remotecommand protocol.
 * Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go
 */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

export interface Frame {
  readonly channel: number;
  readonly payload: Buffer;
}

const HEAD_BYTES = 5;
export const LARGEST_FRAME = 1024 * 1024;

/** One byte of channel, four of length, then so many bytes. */
export function writeFrame(channel: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(channel, 0);
  head.writeUInt32BE(payload.byteLength, 1);
  return Buffer.concat([head, payload]);
}

/**
 * Takes bytes as they come, and gives the frames that are whole by now.
 * @throws CodedError `FRAME_TOO_LARGE` from the function it returns.
 */
export function createFrameReader(): (bytes: Buffer) => readonly Frame[] {
  let waiting: Buffer = Buffer.alloc(0);
  return (bytes) => {
    waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    const frames: Frame[] = [];
    while (waiting.length >= HEAD_BYTES) {
      const length = waiting.readUInt32BE(1);
      if (length > LARGEST_FRAME)
        throw new CodedError('FRAME_TOO_LARGE', `a frame of ${length} bytes is more than ${LARGEST_FRAME}`);
      if (waiting.length < HEAD_BYTES + length) break;
      frames.push({
        channel: waiting.readUInt8(0),
        payload: waiting.subarray(HEAD_BYTES, HEAD_BYTES + length),
      });
      waiting = waiting.subarray(HEAD_BYTES + length);
    }
    return frames;
  };
}
