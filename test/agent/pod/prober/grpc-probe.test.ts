import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { askGrpc } from '../../../../src/agent/pod/prober/grpc-probe.ts';
import { systemClock } from '../../../../src/util/clock.ts';

const HEALTH: ServiceDefinition = {
  Check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes) => bytes,
  },
};

/** By service name: the status as the message has it, field 1. */
const STATUS: Readonly<Record<string, readonly number[]>> = { '': [8, 1], cart: [8, 2], web: [] };

describe('a gRPC probe', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.forceShutdown();
  });

  const listen = (server: Server) =>
    new Promise<number>((resolve, reject) => {
      servers.push(server);
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  const healthServer = (answers = true) => {
    const server = new Server();
    server.addService(HEALTH, {
      Check: ((call: { request: Buffer }, callback: (error: unknown, answer?: Buffer) => void) => {
        const service = call.request.subarray(2).toString();
        if (!answers) return;
        if (service === 'none') callback({ code: status.NOT_FOUND, details: 'unknown service' });
        else callback(null, Buffer.from(STATUS[service] ?? []));
      }) as UntypedHandleCall,
    });
    return listen(server);
  };
  const ask = (port: number, service = '', timeoutMs = 30_000) =>
    askGrpc({ host: '127.0.0.1', port, service, timeoutMs }, systemClock, new AbortController().signal);

  // The kubelet's words: kubernetes/pkg/probe/grpc/grpc.go
  it('is content with SERVING, and says what else was answered', async () => {
    const port = await healthServer();
    expect(await ask(port)).toBeUndefined();
    expect(await ask(port, 'cart')).toBe('service unhealthy (responded with "NOT_SERVING")');
    expect(await ask(port, 'web')).toBe('service unhealthy (responded with "UNKNOWN")');
    expect(await ask(port, 'none')).toBe('error: health rpc probe failed: unknown service');
  });

  it('tells a server without the health service', async () => {
    expect(await ask(await listen(new Server()))).toMatch(
      /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): /,
    );
  });

  it('tells a port nobody listens on, and a server that does not answer', async () => {
    const port = await healthServer(false);
    expect(await ask(port, '', 500)).toMatch(/^timeout: /);
    for (const server of servers.splice(0)) server.forceShutdown();
    expect(await ask(port)).toMatch(/^(error|timeout): failed to connect service/);
  });
});
