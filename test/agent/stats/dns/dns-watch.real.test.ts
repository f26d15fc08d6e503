import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { openNamespaceSocket } from '../../../../src/agent/host/namespace-socket.ts';
import { createDnsWatch } from '../../../../src/agent/stats/dns/dns-watch.ts';
import { createFakeClock } from '../../../../src/util/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { findPart, notRoot } from '../../../support/parts.ts';

/** Helpers that this process has started and that are there still. */
const helpersOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '' && commandOf(child).includes("createSocket('udp4');\nsocket.bind"))
    .length;
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanup.splice(0).reverse()) undo();
});

/** Answers each question after 20 ms, in a network of its own. */
const SERVER = `
require('node:child_process').execFileSync('ip', ['link', 'set', 'lo', 'up']);
const server = require('node:dgram').createSocket('udp4');
server.on('message', (question, from) => {
  question.writeUInt16BE(0x8180, 2);
  setTimeout(() => server.send(question, from.port, from.address), 20);
});
// Somebody in the pod has sent a datagram: a pod that never does is not looked up for.
server.bind(53, '127.0.0.1', () => server.send('x', 9, '127.0.0.1', () => console.log('up')));
`;

describe.skipIf(notRoot())("look-ups in a pod's own network", () => {
  it('reach the name server there, and leave no process behind', async () => {
    const pod = spawn('unshare', ['--net', process.execPath, '-e', SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup.push(() => pod.kill('SIGKILL'));
    await once(pod.stdout, 'data');
    const clock = { ...createFakeClock() };
    // Time passes as fast as it is asked for, look-ups take as long as they take.
    let ahead = 0;
    clock.monotonic = () => performance.now() + ahead;
    clock.setTimer = (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    };
    const watch = createDnsWatch({
      clock,
      random: Math.random,
      nsenter: findPart('nsenter'),
      openSocket: openNamespaceSocket,
      resolverFile: () => 'nameserver 127.0.0.1\nsearch shop.local\n',
    });
    cleanup.push(() => watch.close());
    await eventually(() => {
      ahead += 20_000;
      watch.track([{ uid: 'u1', sandboxPid: pod.pid!, containerPid: pod.pid! }]);
      const lookups = watch.lookups('u1');
      expect(lookups?.count).toBeGreaterThanOrEqual(3);
      expect(lookups!.sumSeconds / lookups!.count).toBeGreaterThanOrEqual(0.015);
      return true;
    });
    await eventually(() => helpersOf(process.pid) === 0);
  });
});
