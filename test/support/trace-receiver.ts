import { Server, ServerCredentials } from '@grpc/grpc-js';
import { PbfReader } from 'pbf';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A real gRPC server that takes what any OpenTelemetry SDK exports as traces. */
export async function startTraceReceiver() {
  const spans: ReceivedSpan[] = [];
  const server = new Server();
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestDeserialize: readRequest,
        requestSerialize: () => Buffer.alloc(0),
        responseSerialize: (answer: Buffer) => answer,
        responseDeserialize: (answer: Buffer) => answer,
      },
    },
    {
      Export(call: { request: ReceivedSpan[] }, done: (error: null, answer: Buffer) => void) {
        spans.push(...call.request);
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { spans, url: `http://127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

/** Calls `take` with each field that stands for a message. */
function eachMessage(bytes: Uint8Array, field: number, take: (message: Uint8Array) => void): void {
  new PbfReader(bytes).readFields((tag, _result, reader) => {
    if (tag === field) take(reader!.readBytes());
  }, undefined);
}

// Field numbers: opentelemetry/proto/collector/trace/v1/trace_service.proto and opentelemetry/proto/trace/v1/trace.proto.
function readRequest(bytes: Buffer): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  eachMessage(bytes, 1, (resourceSpans) =>
    eachMessage(resourceSpans, 2, (scopeSpans) =>
      eachMessage(scopeSpans, 2, (span) => spans.push(readSpan(span))),
    ),
  );
  return spans;
}

function readSpan(bytes: Uint8Array): ReceivedSpan {
  const span = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    startNs: 0n,
    endNs: 0n,
    attributes: {} as Record<string, string>,
  };
  const hex = (reader: PbfReader) => Buffer.from(reader.readBytes()).toString('hex');
  const nanoseconds = (reader: PbfReader) => {
    const low = BigInt(reader.readFixed32());
    return low + (BigInt(reader.readFixed32()) << 32n);
  };
  new PbfReader(bytes).readFields((tag, _result, reader) => {
    if (tag === 1) span.traceId = hex(reader!);
    else if (tag === 2) span.spanId = hex(reader!);
    else if (tag === 4) span.parentSpanId = hex(reader!);
    else if (tag === 5) span.name = reader!.readString();
    else if (tag === 7) span.startNs = nanoseconds(reader!);
    else if (tag === 8) span.endNs = nanoseconds(reader!);
    else if (tag === 9) Object.assign(span.attributes, readAttribute(reader!.readBytes()));
  }, undefined);
  return span;
}

/** Text values only. */
function readAttribute(bytes: Uint8Array): Record<string, string> {
  let key = '';
  let value: string | undefined;
  new PbfReader(bytes).readFields((tag, _result, reader) => {
    if (tag === 1) key = reader!.readString();
    else if (tag === 2) {
      eachMessage(reader!.readBytes(), 1, (text) => {
        value = Buffer.from(text).toString('utf8');
      });
    }
  }, undefined);
  return value === undefined ? {} : { [key]: value };
}
