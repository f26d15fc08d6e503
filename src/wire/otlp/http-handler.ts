import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isCodedError, messageOf } from '../../util/coded-error.ts';
import { beyondLimit } from './limits.ts';
import { malformed } from './protobuf.ts';
import type { OtlpReceiver } from './receiver.ts';
import type { OtlpSignal } from './transport.ts';

/** A request as HTTP servers have it; the body is raw, still packed. */
export interface OtlpHttpRequest {
  /** Path without query: `/v1/metrics` or `/v1/logs`. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Uint8Array;
}

export interface OtlpHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export const OTLP_HTTP_PATHS: Readonly<Record<string, OtlpSignal>> = {
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs',
};

const PROTOBUF = 'application/x-protobuf';
const RETRY_AFTER_SECONDS = '5';
const unpackGzip = promisify(gunzip);

/** OTLP over HTTP in binary protobuf, as a function to mount on a server that bounds the packed body. Never rejects. */
export function createOtlpHttpHandler(
  receiver: OtlpReceiver,
): (request: OtlpHttpRequest) => Promise<OtlpHttpResponse> {
  return async (request) => {
    const signal = Object.hasOwn(OTLP_HTTP_PATHS, request.path) ? OTLP_HTTP_PATHS[request.path] : undefined;
    if (signal === undefined) return plain(404, `no such OTLP path: ${request.path}`);
    const type = request.contentType?.split(';')[0]?.trim().toLowerCase();
    if (type !== PROTOBUF)
      return plain(415, `content type must be ${PROTOBUF}; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`);
    try {
      const body = await unpack(request, receiver.limits.bodyBytes);
      if (typeof body === 'string') return plain(415, body);
      return { status: 200, headers: { 'content-type': PROTOBUF }, body: await receiver[signal](body) };
    } catch (error) {
      return plain(isCodedError(error) && error.status < 500 ? error.status : 503, messageOf(error));
    }
  };
}

async function unpack(
  { contentEncoding, body }: OtlpHttpRequest,
  maxBytes: number,
): Promise<Uint8Array | string> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return body;
  if (encoding !== 'gzip') return `content encoding ${encoding} is not taken; use gzip or none`;
  try {
    return await unpackGzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw beyondLimit('bytes', maxBytes);
    throw malformed(`its gzip does not unpack (${messageOf(error)})`, error);
  }
}

function plain(status: number, message: string): OtlpHttpResponse {
  const mayComeAgain = status === 429 || status === 503;
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(mayComeAgain && { 'retry-after': RETRY_AFTER_SECONDS }),
    },
    body: Buffer.from(`${message}\n`),
  };
}
