import type { Traced } from '../../util/traced.ts';
import type { OtlpTransport } from './transport.ts';

/** The transport, each export of it a span. `name` says where to. */
export function tracedTransport(name: string, transport: OtlpTransport, traced: Traced): OtlpTransport {
  return {
    export: (signal, request, abort) =>
      traced(
        'OTLP export',
        {
          'podvitals.otlp.destination': name,
          'podvitals.otlp.signal': signal,
          'podvitals.otlp.request_bytes': request.byteLength,
        },
        () => transport.export(signal, request, abort),
        (outcome) => (outcome.kind === 'accepted' ? undefined : outcome.message),
      ),
    close: () => transport.close(),
  };
}
