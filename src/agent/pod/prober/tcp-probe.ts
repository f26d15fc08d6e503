import { connect } from 'node:net';
import type { Clock } from '../../../util/clock.ts';
import { dialError } from './http-probe.ts';

/** Opens a connection and closes it; resolves with the error in Go's words, or undefined when it opened. */
export function askTcp(
  host: string,
  port: number,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const end = (error: string | undefined) => {
      cancel();
      socket.destroy();
      resolve(error);
    };
    const cancel = clock.setTimer(timeoutMs, () => end(`dial tcp ${address}: i/o timeout`));
    socket.once('connect', () => end(undefined));
    socket.on('error', (error) => end(dialError(error, address)));
  });
}
