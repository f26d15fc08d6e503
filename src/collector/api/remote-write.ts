import type { FastifyPluginAsync } from 'fastify';
import { admitBodies } from '../../http/body-admission.ts';
import type { Admission } from '../../util/admission.ts';
import type { RemoteWriteReceiver } from '../../wire/prometheus/remote-write-receiver.ts';

/** `POST /api/v1/write`: Prometheus' remote write. The receiver answers; this only carries bytes. */
export function remoteWriteRoutes(receiver: RemoteWriteReceiver, admission: Admission): FastifyPluginAsync {
  const bodyLimit = receiver.limits.bodyBytes;
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
    // As with OTLP: telemetry changes nothing on the host, and a page of another origin is refused before this.
    app.post(
      '/api/v1/write',
      {
        bodyLimit,
        preParsing: admitBodies(admission),
        config: { access: 'read', rateLimit: false },
      },
      async (request, reply) => {
        const { status, message, retryAfterSeconds } = await receiver.write({
          contentType: request.headers['content-type'],
          contentEncoding: request.headers['content-encoding'],
          body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
        });
        if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
        reply.code(status);
        return message === '' ? reply.send() : reply.type('text/plain; charset=utf-8').send(`${message}\n`);
      },
    );
  };
}
