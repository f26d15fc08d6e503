import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';

// Runs inside the namespace: makes a socket, hands it over, and is gone.
const HELPER = `
setTimeout(() => process.exit(1), 10_000);
process.on('disconnect', () => process.exit(0));
const socket = require('node:dgram').createSocket('udp4');
socket.bind(0, () => process.send('socket', socket, () => process.disconnect()));
`;
const PATIENCE_MS = 10_000;

/**
 * A UDP socket of another network namespace, owned by this process: what is sent by it leaves from there. Undefined when
 * it could not be made. `pid`: any process inside.
 */
export function openNamespaceSocket(nsenter: string, pid: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const child = spawn(nsenter, [`--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', HELPER], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    child.once('message', (_, handle) => resolve(handle as Socket | undefined));
    child.once('error', () => resolve(undefined));
    child.once('close', () => resolve(undefined));
    child.unref();
    child.channel?.unref();
  });
}
