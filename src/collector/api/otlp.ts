import type { FastifyPluginAsync } from 'fastify';
import { admitBodies } from '../../http/body-admission.ts';
import type { Admission } from '../../util/admission.ts';
import type { OtlpHttpRequest, OtlpHttpResponse } from '../../wire/otlp/http-handler.ts';

/** `POST /v1/metrics` and `/v1/logs`: OTLP over HTTP. The handler answers; this only carries bytes. */
export function otlpRoutes(
  handle: (request: OtlpHttpRequest) => Promise<OtlpHttpResponse>,
  bodyLimit: number,
  admission: Admission,
): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
    for (const path of ['/v1/metrics', '/v1/logs']) {
      // Its own admission bounds it, whatever the number of requests. Telemetry changes nothing on the host, and a page of another origin is refused before this.
      app.post(
        path,
        {
          bodyLimit,
          preParsing: admitBodies(admission),
          config: { access: 'read', rateLimit: false },
        },
        async (request, reply) => {
          const { status, headers, body } = await handle({
            path,
            contentType: request.headers['content-type'],
            contentEncoding: request.headers['content-encoding'],
            body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
          });
          return reply.code(status).headers(headers).send(Buffer.from(body));
        },
      );
    }
  };
}
