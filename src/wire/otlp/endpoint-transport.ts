import type { Clock } from '../../util/clock.ts';
import type { OtlpEndpoint, OtlpEndpoints } from './environment.ts';
import { grpcTransport } from './grpc-transport.ts';
import { httpTransport } from './http-transport.ts';
import type { OtlpTransport } from './transport.ts';

/** A transport for the endpoints of `parseOtlpEnvironment`. A signal without endpoint is refused. */
export function endpointTransport(endpoints: OtlpEndpoints, clock: Clock): OtlpTransport {
  const open = (endpoint: OtlpEndpoint) =>
    endpoint.protocol === 'grpc' ? grpcTransport(endpoint) : httpTransport(endpoint, clock);
  const transports = {
    metrics: endpoints.metrics && open(endpoints.metrics),
    logs: endpoints.logs && open(endpoints.logs),
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
