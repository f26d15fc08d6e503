import type { ServiceError } from '@grpc/grpc-js';
import { PbfReader, PbfWriter } from 'pbf';
import type { Clock } from '../../../util/clock.ts';

export interface GrpcQuestion {
  readonly host: string;
  readonly port: number;
  /** Empty: the server as a whole. */
  readonly service: string;
  readonly timeoutMs: number;
}

const CHECK = '/grpc.health.v1.Health/Check';
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;

function writeRequest(service: string): Buffer {
  const pbf = new PbfWriter();
  if (service !== '') pbf.writeStringField(1, service);
  return Buffer.from(pbf.finish());
}

const readStatus = (bytes: Buffer): number =>
  new PbfReader(bytes).readFields(
    (tag, result, pbf) => {
      if (tag === 1) result.status = pbf.readVarint();
    },
    { status: 0 },
  ).status;

/**
 * Asks the health service of gRPC, without TLS, as the kubelet does; resolves with what is wrong in the kubelet's words,
 * or undefined when it serves.
 *
 * Source: kubernetes/pkg/probe/grpc/grpc.go; grpc/doc/health-checking.md
 */
export async function askGrpc(
  question: GrpcQuestion,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { host, port, service, timeoutMs } = question;
  const { Client, credentials, Metadata, status } = await import('@grpc/grpc-js');
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.34',
    // A probe is one connection; the next one must not wait for the back-off of this one.
    'grpc.use_local_subchannel_pool': 1,
  });
  const seconds = `${timeoutMs / 1000}s`;
  const asked = new Promise<string | undefined>((resolve) => {
    const call = client.makeUnaryRequest(
      CHECK,
      writeRequest,
      readStatus,
      service,
      new Metadata(),
      (error: ServiceError | null, found?: number) => {
        if (error) return resolve(wordsOf(error, status, address));
        if (found === SERVING) return resolve(undefined);
        resolve(`service unhealthy (responded with "${STATUSES[found ?? 0] ?? found}")`);
      },
    );
    const end = (why: string) => {
      call.cancel();
      resolve(why);
    };
    const cancel = clock.setTimer(timeoutMs, () =>
      end(
        client.getChannel().getConnectivityState(false) === READY
          ? `timeout: health rpc did not complete within ${seconds}`
          : `timeout: failed to connect service "${address}" within ${seconds}: context deadline exceeded`,
      ),
    );
    call.on('status', cancel);
    signal.addEventListener('abort', () => end('aborted'), { once: true });
  });
  return asked.finally(() => client.close());
}

/** grpc-js' connectivityState.READY. */
const READY = 2;

function wordsOf(error: ServiceError, status: { readonly [name: string]: unknown }, address: string): string {
  if (error.code === status.UNIMPLEMENTED)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`;
  if (error.code === status.UNAVAILABLE && /connect|ECONN|EHOST|ENET/i.test(error.details))
    return `error: failed to connect service at "${address}": ${error.details}`;
  return `error: health rpc probe failed: ${error.details}`;
}
