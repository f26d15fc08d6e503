import { PassThrough } from 'node:stream';
import type { preParsingAsyncHookHandler } from 'fastify';
import { type Admission, RETRY_AFTER_SECONDS } from '../util/admission.ts';
import type { CodedError } from '../util/coded-error.ts';

/**
 * For `preParsing` of a route that takes bodies: none is read before it is let in. Who is refused gets 429 with
 * Retry-After, also in the middle of a body.
 */
export function admitBodies(admission: Admission): preParsingAsyncHookHandler {
  return async (_request, reply, payload) => {
    const gone = new AbortController();
    const onGone = () => gone.abort(new Error('the client is gone'));
    reply.raw.once('close', onGone);
    const body = new PassThrough();
    const refuse = (reason: CodedError) => {
      reply.header('retry-after', RETRY_AFTER_SECONDS).header('connection', 'close');
      // The server's parser reads `statusCode` of what ends a body.
      body.destroy(Object.assign(reason, { statusCode: reason.status }));
      payload.unpipe(body);
    };
    const admitted = await admission.enter(refuse, gone.signal).catch((error: unknown) => {
      reply.header('retry-after', RETRY_AFTER_SECONDS).header('connection', 'close');
      throw error;
    });
    reply.raw.once('close', admitted.leave);
    if (reply.raw.destroyed) admitted.leave();
    payload.once('end', admitted.received);
    payload.once('error', (error) => body.destroy(error));
    payload.once('close', () => {
      if (!payload.readableEnded) body.destroy(new Error('the body is cut off'));
    });
    return Object.assign(payload.pipe(body), { receivedEncodedLength: 0 });
  };
}
