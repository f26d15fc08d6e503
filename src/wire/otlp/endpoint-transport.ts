import type { Clock } from '../../util/clock.ts';
import type { OtlpEndpoint, OtlpEndpoints } from './environment.ts';
import { httpTransport } from './http-transport.ts';
import type { OtlpTransport } from './transport.ts';

/**
 * A transport for the endpoints of `parseOtlpEnvironment`. A signal without endpoint is refused. gRPC is large: it is loaded
 * only where it is spoken.
 */
export async function endpointTransport(endpoints: OtlpEndpoints, clock: Clock): Promise<OtlpTransport> {
  const open = async (endpoint: OtlpEndpoint) =>
    endpoint.protocol === 'grpc'
      ? (await import('./grpc-transport.ts')).grpcTransport(endpoint)
      : httpTransport(endpoint, clock);
  const transports = {
    metrics: endpoints.metrics && (await open(endpoints.metrics)),
    logs: endpoints.logs && (await open(endpoints.logs)),
  };
  return {
    async export(signal, request, abort) {
      const transport = transports[signal];
      return (
        transport?.export(signal, request, abort) ?? { kind: 'refused', message: `no endpoint for ${signal}` }
      );
    },
    async close() {
      await Promise.all([transports.metrics?.close(), transports.logs?.close()]);
    },
  };
}
