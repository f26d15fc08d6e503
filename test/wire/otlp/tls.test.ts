import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { parseOtlpEnvironment } from '../../../src/wire/otlp/environment.ts';
import { createOtlpGrpcServer } from '../../../src/wire/otlp/grpc-server.ts';
import { grpcTransport } from '../../../src/wire/otlp/grpc-transport.ts';
import { createOtlpHttpHandler } from '../../../src/wire/otlp/http-handler.ts';
import { httpTransport } from '../../../src/wire/otlp/http-transport.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import type { ExportOutcome, OtlpTransport } from '../../../src/wire/otlp/transport.ts';
import { type Certificates, type KeyPair, makeCertificates } from '../../support/certificates.ts';
import { missing } from '../../support/parts.ts';

interface Door {
  readonly port: number;
  close(): Promise<void>;
}

describe.skipIf(missing('openssl'))('OTLP over TLS, with real certificates', () => {
  let folder: string;
  let made: Certificates;
  const open: { close(): Promise<void> }[] = [];
  const store = createMemoryStore({ clock: systemClock });
  const receiver = createOtlpReceiver({ store, clock: systemClock });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-tls-'));
    made = makeCertificates(folder);
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const pair = ({ cert, key }: KeyPair) => ({ cert: readFileSync(cert), key: readFileSync(key) });

  const doors: Readonly<Record<string, (mutual: boolean) => Promise<Door>>> = {
    async grpc(mutual) {
      const tls = { ...pair(made.server), ...(mutual && { clientCa: readFileSync(made.ca) }) };
      return createOtlpGrpcServer({ host: '127.0.0.1', port: 0, receiver, tls });
    },
    async 'http/protobuf'(mutual) {
      const handle = createOtlpHttpHandler(receiver);
      const server = createServer(
        { ...pair(made.server), ...(mutual && { ca: readFileSync(made.ca), requestCert: true }) },
        async (request, response) => {
          const parts: Buffer[] = [];
          for await (const part of request) parts.push(part as Buffer);
          const answer = await handle({
            path: request.url!,
            contentType: request.headers['content-type'],
            contentEncoding: request.headers['content-encoding'],
            body: Buffer.concat(parts),
          });
          response.writeHead(answer.status, answer.headers).end(answer.body);
        },
      ).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        port: (server.address() as { port: number }).port,
        async close() {
          server.closeAllConnections();
          server.close();
        },
      };
    },
  };

  /** What comes of sending a request as the standard variables say. */
  async function send(
    protocol: string,
    mutual: boolean,
    { ca, client }: { ca?: string; client?: KeyPair },
  ): Promise<ExportOutcome> {
    const door = await doors[protocol]!(mutual);
    open.push(door);
    const endpoint = parseOtlpEnvironment({
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${door.port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '20000',
      ...(ca && { OTEL_EXPORTER_OTLP_CERTIFICATE: ca }),
      ...(client && {
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: client.cert,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: client.key,
      }),
    })!.metrics!;
    const transport: OtlpTransport =
      protocol === 'grpc' ? grpcTransport(endpoint) : httpTransport(endpoint, systemClock);
    open.push(transport);
    return transport.export('metrics', new Uint8Array());
  }

  describe.each(['grpc', 'http/protobuf'])('%s', (protocol) => {
    it('sends to a server whose authority is known', async () => {
      expect(await send(protocol, false, { ca: made.ca })).toMatchObject({ kind: 'accepted', rejected: 0 });
    });

    it('shows its own certificate where the server asks for one', async () => {
      expect(await send(protocol, true, { ca: made.ca, client: made.client })).toMatchObject({
        kind: 'accepted',
      });
    });

    it.each([
      ['another authority', true],
      ['no authority', false],
    ] as const)('trusts no server of %s, and says so', async (_, named) => {
      const outcome = await send(protocol, false, named ? { ca: made.strangerCa } : {});
      expect(outcome.kind).toBe('retry');
      expect(outcome.message).toMatch(/certificate/i);
      expect(outcome.message).toContain('OTEL_EXPORTER_OTLP_CERTIFICATE');
    });

    it.each(['none', 'a stranger'] as const)('is turned away with %s for a certificate', async (which) => {
      const outcome = await send(protocol, true, {
        ca: made.ca,
        ...(which === 'a stranger' && { client: made.stranger }),
      });
      expect(outcome.kind).not.toBe('accepted');
    });
  });
});
