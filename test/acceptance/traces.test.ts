import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTracing } from '../../src/app/tracing.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';
import { startTraceReceiver } from '../support/trace-receiver.ts';

const STAGES = ['schedule', 'pull', 'init', 'start', 'ready'];

function writeManifest(folder: string): string {
  const container = (name: string, script: string) => ({ name, command: ['sh', '-c', script] });
  const pod = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'traced' },
    spec: { terminationGracePeriodSeconds: 0, ...spec },
  });
  const lives = [container('main', 'exec sleep 1000')];
  const pods = [
    pod('plain', { containers: lives }),
    pod('prepared', { initContainers: [container('first', 'sleep 0.3')], containers: lives }),
    pod('crashing', { containers: [container('main', 'exit 1')] }),
  ];
  const path = join(folder, 'traced.yaml');
  writeFileSync(path, pods.map((one) => JSON.stringify(one)).join('\n---\n'));
  return path;
}

describe.skipIf(notRoot())('traces over OTLP/gRPC', () => {
  const dataDir = temporaryDataDir();
  let receiver: Awaited<ReturnType<typeof startTraceReceiver>>;
  let webhook: Server;
  let podvitals: Podvitals;

  beforeAll(async () => {
    receiver = await startTraceReceiver();
    webhook = createServer((_request, response) => response.end());
    await new Promise<void>((done) => webhook.listen(0, '127.0.0.1', done));
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports: await freePorts(),
      files: [writeManifest(dataDir.path)],
      flags: ['--webhook', `http://127.0.0.1:${(webhook.address() as AddressInfo).port}`],
      agent: { backOff: { base: '1s', cap: '1s' } },
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '500' },
    });
  }, 90_000);
  afterAll(async () => {
    await podvitals?.stop();
    receiver?.stop();
    webhook?.close();
    dataDir.remove();
  }, 60_000);

  const startupOf = (pod: string) =>
    until(`the start of ${pod} is traced`, 30_000, () => {
      const root = receiver.spans.find(
        (span) => span.name === 'pod startup' && span.attributes['k8s.pod.name'] === pod,
      );
      const trace = receiver.spans.filter((span) => span.traceId === root?.traceId);
      return root && trace.length > STAGES.length && { root, trace };
    });

  it.each(['plain', 'prepared'])(
    'the start of the pod %s is one trace of five stages in order',
    async (pod) => {
      const { root, trace } = await startupOf(pod);
      expect(root.parentSpanId).toBe('');
      expect(root.attributes['k8s.namespace.name']).toBe('traced');
      const stages = trace.filter((span) => span !== root);
      expect(stages.map((span) => span.attributes['podvitals.startup.stage'])).toEqual(STAGES);
      let before = root.startNs;
      for (const stage of stages) {
        expect(stage.parentSpanId).toBe(root.spanId);
        expect(stage.startNs).toBe(before);
        expect(stage.endNs).toBeGreaterThanOrEqual(stage.startNs);
        before = stage.endNs;
      }
      expect(before).toBe(root.endNs);
    },
  );

  it('an init container takes its time in the stage init', async () => {
    const { trace } = await startupOf('prepared');
    const init = trace.find((span) => span.attributes['podvitals.startup.stage'] === 'init')!;
    expect(init.endNs - init.startNs).toBeGreaterThanOrEqual(300_000_000n);
  });

  it('the work of podvitals itself is traced', async () => {
    for (const name of ['rule group evaluation', 'OTLP export', 'alert notification']) {
      const span = await until(`${name} is traced`, 60_000, () =>
        receiver.spans.find((candidate) => candidate.name === name),
      );
      expect(span.endNs).toBeGreaterThanOrEqual(span.startNs);
    }
  }, 190_000);
});

describe('nothing is traced', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' };
  it.each([
    ['without an endpoint', {}],
    ['with an empty one', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }],
    ['when the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    ['when traces are exported nowhere', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
  ])('%s', async (_when, env) => {
    const { tracer, stop } = await startTracing(env, '1.2.3', { warn: () => {} });
    expect(tracer.startSpan('anything').isRecording()).toBe(false);
    await stop();
  });
});

it('a protocol of traces that is not spoken is refused with the variable and what is', async () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
  };
  await expect(startTracing(env, '1.2.3', { warn: () => {} })).rejects.toThrow(
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/json": must be one of grpc, http/protobuf',
  );
});

it('that a backend of traces is away is logged, without a stack', async () => {
  const dataDir = temporaryDataDir();
  const ports = await freePorts();
  let podvitals: Podvitals | undefined;
  try {
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports,
      halves: 'collector',
      env: {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
        OTEL_BSP_SCHEDULE_DELAY: '200',
      },
    });
    const line = await until('it is logged', 60_000, () =>
      podvitals!
        .output()
        .split('\n')
        .find((text) => text.includes('traces may be lost')),
    );
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      err: { code: 'TRACING', message: expect.stringContaining('ECONNREFUSED 127.0.0.1:9') },
    });
    expect(line).not.toContain('node_modules');
  } finally {
    await podvitals?.stop();
    dataDir.remove();
  }
}, 120_000);
