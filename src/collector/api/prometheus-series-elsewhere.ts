import type { FastifyReply, FastifyRequest } from 'fastify';
import { badData, type Form } from './prometheus-parameters.ts';
import type { FormHandler } from './prometheus-route.ts';

/** Asks the server that has the series for something under `/api/v1/`. */
export type AskElsewhere = (
  path: string,
  parameters: URLSearchParams,
) => Promise<{ readonly status: number; readonly body: string }>;

const PARAMETERS = ['match[]', 'start', 'end', 'limit'];

/** Series, label names and label values of another server: its answer, errors too, is passed on as it is. */
export function createSeriesElsewhereRoutes(ask: AskElsewhere): {
  readonly series: FormHandler;
  readonly labelNames: FormHandler;
  readonly labelValues: FormHandler;
} {
  const passOn = async (path: string, form: Form, reply: FastifyReply) => {
    const parameters = new URLSearchParams();
    for (const name of PARAMETERS) for (const value of form.getAll(name)) parameters.append(name, value);
    const { status, body } = await ask(path, parameters);
    return reply.code(status).type('application/json').send(Buffer.from(body));
  };
  return {
    series: (form, _request, reply) => passOn('series', form, reply),
    labelNames: (form, _request, reply) => passOn('labels', form, reply),
    labelValues: async (form, request, reply) => passOn(`label/${nameOf(request)}/values`, form, reply),
  };
}

function nameOf(request: FastifyRequest): string {
  const { name = '' } = request.params as { name?: string };
  // Dots alone would climb in the path.
  if (name === '' || /^\.+$/.test(name)) throw badData('name', 'invalid label name');
  return encodeURIComponent(name);
}
