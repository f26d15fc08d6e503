import type { FastifyReply, FastifyRequest } from 'fastify';
import { isCodedError, messageOf } from '../../util/coded-error.ts';
import { sendJson } from './prometheus-route.ts';

const TYPES: Readonly<Record<string, string>> = {
  QUERY_PARSE: 'bad_data',
  QUERY_RANGE_INVALID: 'bad_data',
  QUERY_CANCELED: 'canceled',
  QUERY_TIMEOUT: 'timeout',
  QUERY_EXECUTION: 'execution',
  QUERY_TOO_MANY_SAMPLES: 'execution',
  QUERY_UNAVAILABLE: 'unavailable',
};
const TYPE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'bad_data',
  404: 'not_found',
  422: 'execution',
};

/** Answers an error the way Prometheus does: `{"status":"error","errorType":"bad_data","error":"…"}`. */
export function sendApiError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status >= 500 && !isCodedError(error)) {
    request.log.error({ err: error, path: request.url.split('?')[0] }, 'request failed');
  }
  const known = isCodedError(error) ? TYPES[error.code] : undefined;
  return sendJson(reply.code(status), {
    status: 'error',
    errorType: known ?? TYPE_OF_STATUS[status] ?? 'internal',
    error: isCodedError(error) || status < 500 ? messageOf(error) : 'internal error, see the log',
  });
}

function statusOf(error: unknown): number {
  if (isCodedError(error)) return error.status;
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' && status >= 400 ? status : 500;
}
