import {
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  setLogVerbosity,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { type Admission, RETRY_AFTER_SECONDS } from '../../util/admission.ts';
import { systemClock } from '../../util/clock.ts';
import { CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';
import { admitCalls } from './grpc-admission.ts';
import { EXPORT_PATH, toBuffer } from './grpc-transport.ts';
import type { OtlpReceiver } from './receiver.ts';
import { writeRetryDelay } from './retry-info.ts';
import type { OtlpSignal } from './transport.ts';

export interface OtlpGrpcServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly receiver: OtlpReceiver;
  /** Bounds what is held of requests; everything is let in when left out. */
  readonly admission?: Admission;
  /** Answers whether a request with this `authorization` may pass; everybody may when left out. */
  readonly authorize?: (authorization: string | undefined) => boolean;
  /** PEM; plain text when left out. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa?: Buffer };
}

export interface OtlpGrpcServer {
  readonly host: string;
  readonly port: number;
  /** Finishes what is under way, at most some seconds. */
  close(): Promise<void>;
}

const CLOSE_AFTER_MS = 2_000;
const RETRY_AFTER_MS = RETRY_AFTER_SECONDS * 1000;

/** Listens for OTLP over gRPC. @throws OTLP_ADDRESS_TAKEN when the port cannot be had. */
export async function createOtlpGrpcServer(options: OtlpGrpcServerOptions): Promise<OtlpGrpcServer> {
  const { host, receiver, admission } = options;
  // Its own words on stderr say again what the CodedError says.
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': receiver.limits.bodyBytes,
    'grpc.max_concurrent_streams': 100,
    ...(admission && { interceptors: [admitCalls(admission, failureOf)] }),
  });
  for (const signal of ['metrics', 'logs'] as const) {
    server.addService(serviceOf(signal), { Export: handlerOf(signal, options) as UntypedHandleCall });
  }
  const port = await bind(server, options);
  return {
    host,
    port,
    close: () =>
      new Promise((resolve) => {
        const cancel = systemClock.setTimer(CLOSE_AFTER_MS, () => server.forceShutdown());
        server.tryShutdown(() => {
          cancel();
          resolve();
        });
      }),
  };
}

function serviceOf(signal: OtlpSignal): ServiceDefinition {
  const asIs = (bytes: Buffer) => bytes;
  return {
    Export: {
      path: EXPORT_PATH[signal],
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}

function handlerOf(signal: OtlpSignal, { receiver, authorize }: OtlpGrpcServerOptions) {
  return (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    const [authorization] = call.metadata.get('authorization');
    if (authorize !== undefined && !authorize(authorization?.toString())) {
      answer({
        code: status.UNAUTHENTICATED,
        details: 'a valid token is needed in the header authorization',
      });
      return;
    }
    receiver[signal](call.request).then(
      (response) => answer(null, toBuffer(response)),
      (error: unknown) => answer(failureOf(error)),
    );
  };
}

const CODE_OF_STATUS: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  413: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
};

function failureOf(error: unknown): { code: status; details: string; metadata?: Metadata } {
  // What is not the request's fault may pass: the sender keeps it and tries again.
  const code = (isCodedError(error) && CODE_OF_STATUS[error.status]) || status.UNAVAILABLE;
  const details = messageOf(error);
  if (code !== status.RESOURCE_EXHAUSTED && code !== status.UNAVAILABLE) return { code, details };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', toBuffer(writeRetryDelay(code, details, RETRY_AFTER_MS)));
  return { code, details, metadata };
}

function bind(server: Server, { host, port, tls }: OtlpGrpcServerOptions): Promise<number> {
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.clientCa ?? null,
          [{ cert_chain: tls.cert, private_key: tls.key }],
          tls.clientCa !== undefined,
        );
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(
          new CodedError(
            'OTLP_ADDRESS_TAKEN',
            /EADDRINUSE/.test(error.message)
              ? `cannot listen for OTLP/gRPC on ${host}:${port}: another process has port ${port}; ask who with: ss -ltnp 'sport = :${port}'; stop it or choose another port`
              : `cannot listen for OTLP/gRPC on ${host}:${port} (${messageOf(error)}); choose another address`,
            { cause: error },
          ),
        );
    });
  });
}
