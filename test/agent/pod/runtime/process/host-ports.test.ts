import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHostPorts, type HostPorts } from '../../../../../src/agent/pod/runtime/process/host-ports.ts';
import { openUdpRelay } from '../../../../../src/agent/pod/runtime/process/udp-relay.ts';
import { createFakeClock, systemClock } from '../../../../../src/util/clock.ts';
import { until } from '../../../../support/process-pods.ts';

const HERE = '127.0.0.1';

/** Says what it got, and whom it is talking to, by its port. */
async function echoUdp(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (text, { address, port }) => socket.send(`${text} for ${port}`, port, address));
  socket.bind(0, HERE);
  await once(socket, 'listening');
  return socket;
}

async function ask(port: number, text: string, client = createSocket('udp4')): Promise<string> {
  const answer = once(client, 'message');
  client.send(text, port, HERE);
  const [bytes] = await answer;
  return String(bytes);
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, HERE);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

describe('ports of the host that lead into pods', () => {
  let ports: HostPorts;
  let server: Server;
  let echo: Socket;
  const clients: Socket[] = [];
  const client = () => {
    const socket = createSocket('udp4');
    clients.push(socket);
    return socket;
  };
  beforeEach(async () => {
    ports = createHostPorts(systemClock);
    server = createServer((socket) => socket.end('hello\n')).listen(0, HERE);
    await once(server, 'listening');
    echo = await echoUdp();
  });
  afterEach(async () => {
    ports.closeAll();
    server.close();
    echo.close();
    for (const socket of clients.splice(0)) socket.close();
  });
  const tcpPort = () => (server.address() as AddressInfo).port;
  const udp = (hostPort: number) =>
    ({ hostPort, containerPort: echo.address().port, protocol: 'UDP', hostIp: HERE }) as const;

  it('pass TCP connections on, and close with the pod', async () => {
    const probe = createServer().listen(0, HERE);
    await once(probe, 'listening');
    const hostPort = (probe.address() as AddressInfo).port;
    await new Promise((resolve) => probe.close(resolve));
    await ports.open('web', HERE, [{ hostPort, containerPort: tcpPort(), protocol: 'TCP', hostIp: HERE }]);
    const connection = connect(hostPort, HERE);
    const [bytes] = await once(connection, 'data');
    expect(String(bytes)).toBe('hello\n');
    connection.destroy();
    ports.close('web');
    const [error] = await once(connect(hostPort, HERE), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('pass datagrams on, and each answer back to who asked', async () => {
    const hostPort = await freeUdpPort();
    await ports.open('dns', HERE, [udp(hostPort)]);
    const [one, two] = [client(), client()];
    const answers = await Promise.all([ask(hostPort, 'a', one), ask(hostPort, 'b', two)]);
    expect(answers).toEqual([expect.stringMatching(/^a for \d+$/), expect.stringMatching(/^b for \d+$/)]);
    // The pod sees the same sender as before.
    expect(await ask(hostPort, 'c', one)).toBe(answers[0]!.replace('a', 'c'));
    expect(answers[0]!.split(' ')[2]).not.toBe(answers[1]!.split(' ')[2]);
  });

  it('are had by one pod: the other is told which one, and keeps none of its others', async () => {
    const [hostPort, other] = [await freeUdpPort(), await freeUdpPort()];
    await ports.open('dns', HERE, [udp(hostPort)]);
    const refusal = ports.open('late', HERE, [udp(other), udp(hostPort)]);
    await expect(refusal).rejects.toMatchObject({
      code: 'HOST_PORT_TAKEN',
      message: expect.stringMatching(
        new RegExp(`^hostPort 127\\.0\\.0\\.1:${hostPort}/UDP cannot be opened: pod dns has it; .*ss -lunp`),
      ),
    });
    await ports.open('third', HERE, [udp(other)]);
    ports.close('dns');
    await ports.open('late', HERE, [udp(hostPort)]);
    expect(await ask(hostPort, 'x', client())).toMatch(/^x for /);
  });

  it('forget a sender that is quiet for long, and know it anew', async () => {
    const clock = createFakeClock();
    const { port, close } = await openUdpRelay(
      { host: HERE, port: 0 },
      () => [{ host: HERE, port: echo.address().port }],
      clock,
    );
    const one = client();
    const first = await ask(port, 'a', one);
    await clock.advance(119_000);
    expect(await ask(port, 'a', one)).toBe(first);
    await clock.advance(121_000);
    expect(await ask(port, 'a', one)).not.toBe(first);
    close();
    await until('the port is free', async () => {
      const socket = createSocket('udp4').bind(port, HERE);
      const free = await Promise.race([
        once(socket, 'listening').then(() => true),
        once(socket, 'error').then(() => false),
      ]);
      socket.close();
      return free || undefined;
    });
  });
});
