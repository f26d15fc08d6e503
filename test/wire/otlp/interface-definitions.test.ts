import { resolve } from 'node:path';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { describe, expect, it } from 'vitest';
import { agentSignals } from '../../../src/wire/catalogue/agent.ts';
import { workloadSignals } from '../../../src/wire/catalogue/workload.ts';
import { parseOtlpEnvironment } from '../../../src/wire/otlp/environment.ts';
import { grpcTransport } from '../../../src/wire/otlp/grpc-transport.ts';
import { encodeRecords } from '../../../src/wire/otlp/logs-writer.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { eventOf, START } from '../../conformance/store.ts';

const FACTS = { node: 'n1', instance: 'n1:7639', version: '1.2.3' };
const PROTO = resolve(import.meta.dirname, '../../../third_party/opentelemetry-proto');
const workload = ['shop', 'cart', 'deployment'];
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** A gRPC server made from the public .proto files by protobufjs: nothing of our codec is in it. */
async function startReference(answer: object) {
  const definition = await load(
    ['metrics/v1/metrics_service', 'logs/v1/logs_service'].map(
      (name) => `opentelemetry/proto/collector/${name}.proto`,
    ),
    { includeDirs: [PROTO], longs: String, enums: String, oneofs: false },
  );
  const { collector } = (loadPackageDefinition(definition).opentelemetry as GrpcObject).proto as GrpcObject;
  const service = (signal: 'metrics' | 'logs', name: string) =>
    (((collector as GrpcObject)[signal] as GrpcObject).v1 as GrpcObject)[name] as ServiceClientConstructor;
  const requests: Record<string, unknown>[] = [];
  const server = new Server();
  for (const one of [service('metrics', 'MetricsService'), service('logs', 'LogsService')]) {
    server.addService(one.service, {
      Export(call: { request: Record<string, unknown> }, done: (error: null, answer: object) => void) {
        requests.push(JSON.parse(JSON.stringify(call.request)));
        done(null, answer);
      },
    });
  }
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    ),
  );
  const endpoints = parseOtlpEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })!;
  return { requests, transport: grpcTransport(endpoints.metrics!), stop: () => server.forceShutdown() };
}

describe('our bytes, read by a server generated from the public interface definitions', () => {
  it('are the metrics we mean, nanoseconds and all, and its partial success is understood', async () => {
    const { requests, transport, stop } = await startReference({
      partialSuccess: { rejectedDataPoints: 3, errorMessage: 'too old' },
    });
    try {
      const buckets = [...workloadSignals.startup.bounds!.map((_, i) => i), 2];
      const points = [
        { signal: agentSignals.info, labels: ['n1', '1.2.3', ''], value: 1 },
        { signal: workloadSignals.restarts, labels: [...workload, 'container'], value: 7, startMs: START },
        { signal: workloadSignals.startup, labels: workload, buckets, sum: 33.5, count: 80 },
      ];
      const outcome = await transport.export('metrics', encodePoints(points, START + 1, FACTS));
      expect(outcome).toEqual({ kind: 'accepted', rejected: 3, message: 'too old' });
      const service = [
        text('service.name', 'podvitals-agent'),
        text('service.version', '1.2.3'),
        text('service.instance.id', 'n1:7639'),
      ];
      const scope = { name: 'podvitals', version: '1.2.3' };
      expect(requests).toMatchObject([
        {
          resourceMetrics: [
            {
              resource: { attributes: [...service, text('k8s.node.name', 'n1')] },
              scopeMetrics: [
                {
                  scope,
                  metrics: [
                    {
                      name: 'podvitals.agent.info',
                      unit: '1',
                      gauge: {
                        dataPoints: [
                          {
                            attributes: [text('podvitals.agent.version', '1.2.3')],
                            timeUnixNano: `${START + 1}000000`,
                            asDouble: 1,
                          },
                        ],
                      },
                    },
                  ],
                },
              ],
            },
            {
              resource: {
                attributes: [
                  ...service,
                  text('k8s.namespace.name', 'shop'),
                  text('podvitals.workload.name', 'cart'),
                  text('podvitals.workload.type', 'deployment'),
                  text('k8s.node.name', 'n1'),
                ],
              },
              scopeMetrics: [
                {
                  scope,
                  metrics: [
                    {
                      name: 'podvitals.workload.restarts',
                      sum: {
                        isMonotonic: true,
                        aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                        dataPoints: [
                          {
                            startTimeUnixNano: `${START}000000`,
                            timeUnixNano: `${START + 1}000000`,
                            asDouble: 7,
                          },
                        ],
                      },
                    },
                    {
                      histogram: {
                        aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                        dataPoints: [
                          {
                            count: '80',
                            sum: 33.5,
                            bucketCounts: buckets.map(String),
                            explicitBounds: workloadSignals.startup.bounds,
                          },
                        ],
                      },
                    },
                  ],
                },
              ],
            },
          ],
        },
      ]);
    } finally {
      await transport.close();
      stop();
    }
  });

  it('are the log records we mean', async () => {
    const { requests, transport, stop } = await startReference({});
    try {
      const details = { exitCode: 137, oom: true, ratio: 0.5 };
      const outcome = await transport.export(
        'logs',
        encodeRecords([eventOf('e1', START, { details })], FACTS),
      );
      expect(outcome).toEqual({ kind: 'accepted', rejected: 0, message: '' });
      const [log] = (
        requests[0] as { resourceLogs: { scopeLogs: { logRecords: { attributes: object[] }[] }[] }[] }
      ).resourceLogs[0]!.scopeLogs[0]!.logRecords;
      expect(log).toMatchObject({
        timeUnixNano: `${START}000000`,
        severityNumber: 'SEVERITY_NUMBER_WARN',
        severityText: 'Warning',
        eventName: 'podvitals.event',
        body: { stringValue: 'exit code 1' },
      });
      expect(log!.attributes).toContainEqual(text('k8s.event.reason', 'Died'));
      expect(log!.attributes.at(-1)).toEqual({
        key: 'podvitals.event.details',
        value: {
          kvlistValue: {
            values: [
              { key: 'exitCode', value: { intValue: '137' } },
              { key: 'oom', value: { boolValue: true } },
              { key: 'ratio', value: { doubleValue: 0.5 } },
            ],
          },
        },
      });
    } finally {
      await transport.close();
      stop();
    }
  });
});
