import { type Attributes, SpanStatusCode, type Tracer } from '@opentelemetry/api';

/**
 * Runs a piece of our own work as a span. `failure` says what went wrong by the result, for work that does not
 * reject. Where nothing is traced the work is all that happens.
 */
export type Traced = <T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  failure?: (result: T) => string | undefined,
) => Promise<T>;

export const untraced: Traced = (_name, _attributes, work) => work();

export function tracedBy(tracer: Tracer): Traced {
  return async (name, attributes, work, failure) => {
    const span = tracer.startSpan(name, { attributes });
    if (!span.isRecording()) return work();
    const fail = (message: string) => span.setStatus({ code: SpanStatusCode.ERROR, message });
    try {
      const result = await work();
      const message = failure?.(result);
      if (message !== undefined) fail(message);
      return result;
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      span.end();
    }
  };
}
