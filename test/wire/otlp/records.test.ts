import fc from 'fast-check';
import { PbfReader, PbfWriter } from 'pbf';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import type { AnyValue } from '../../../src/wire/otlp/any-value.ts';
import { readAnyValue, writeAnyValue } from '../../../src/wire/otlp/any-value.ts';
import { decodeExportResponse } from '../../../src/wire/otlp/export-response.ts';
import { DEFAULT_OTLP_LIMITS } from '../../../src/wire/otlp/limits.ts';
import { fromLog, toLog } from '../../../src/wire/otlp/log-record.ts';
import { readLogs } from '../../../src/wire/otlp/logs-reader.ts';
import { encodeRecords } from '../../../src/wire/otlp/logs-writer.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { cart, eventOf, podOf, START } from '../../conformance/store.ts';

const FACTS = { node: 'n1', instance: 'n1:7639', version: '1.2.3' };
const life: AgentRecord = {
  kind: 'life',
  life: {
    id: 'l1',
    pod: cart,
    container: 'app',
    init: false,
    attempt: 3,
    containerId: 'process://abc',
    config: {
      image: 'host',
      command: ['node', 'cart.js'],
      envNames: ['PORT'],
      configHash: 'h',
      memoryLimitBytes: 67108864,
    },
    startedAt: START,
    finishedAt: START + 1234,
    exitCode: 137,
    signal: 9,
    reason: 'OOMKilled',
    killRequest: null,
    unrequested: true,
    oomKills: [{ at: START + 1230, pid: 4711, command: 'node', rssBytes: 66000000, mainProcess: true }],
    log: [{ at: START + 1, stream: 'stderr', text: '\u001b[31m<script>' }],
    vitals: [{ at: START, cpuCores: 0.25, memoryWorkingSetBytes: 11 }],
    probes: [
      {
        at: START,
        probe: 'liveness',
        ok: false,
        target: 'GET http://10.0.0.2/',
        message: 'refused',
        latencyMs: 1.5,
      },
    ],
    listening: [{ address: '0.0.0.0', port: 8080 }],
    verdict: {
      cause: 'OOMKilled',
      failureMode: 'F2',
      confidence: 'certain',
      summary: 'out of memory',
      evidence: [{ fact: 'killed', source: 'l1', at: '2026-01-01T12:00:00Z' }],
      next: [{ command: 'podvitals logs', why: 'to see' }],
    },
  },
};
const records: readonly AgentRecord[] = [
  eventOf('e1', START, {
    container: 'app',
    attempt: 0,
    details: { exitCode: 1, oom: false, ratio: 0.5, who: 'kernel' },
  }),
  eventOf('e2', START + 1, { type: 'Normal', message: '' }),
  eventOf('e3', START + 1, {
    pod: { ...cart, name: '', uid: 'd1' },
    object: { kind: 'Deployment', name: 'cart' },
    type: 'Normal',
    reason: 'ScalingReplicaSet',
  }),
  life,
  podOf('s1', START + 2),
  {
    kind: 'workload',
    state: {
      id: 'w1',
      at: START,
      node: 'n1',
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'cart', namespace: 'shop', uid: 'd1', creationTimestamp: '2026-01-01T12:00:00Z' },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'cart' } },
          template: { spec: { containers: [{ name: 'app' }] } },
        },
        status: {
          observedGeneration: 1,
          replicas: 2,
          updatedReplicas: 2,
          readyReplicas: 1,
          availableReplicas: 1,
          unavailableReplicas: 1,
        },
      },
      deleted: false,
    },
  },
  {
    kind: 'node',
    state: {
      id: 'n1-1',
      at: START,
      node: 'n1',
      version: '1.2.3',
      level: 'full',
      notEnforced: ['memory limits'],
    },
  },
];

const decode = (bytes: Uint8Array) => readLogs(new PbfReader(bytes), DEFAULT_OTLP_LIMITS).map(fromLog);

describe('records on the wire', () => {
  it('come back as they were, in their order', () => {
    expect(decode(encodeRecords(records, FACTS))).toEqual(records);
  });

  it('of events have the form of Kubernetes events in OpenTelemetry', () => {
    const { resource, log } = toLog(eventOf('e1', START, { container: 'app' }));
    expect(Object.fromEntries(resource)).toEqual({
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'cart-1',
      'k8s.pod.uid': 'u1',
      'k8s.node.name': 'n1',
      'podvitals.workload.name': 'cart',
      'podvitals.workload.type': 'deployment',
    });
    expect({ ...log, attributes: Object.fromEntries(log.attributes) }).toEqual({
      eventName: 'podvitals.event',
      timeMs: START,
      severityNumber: 13,
      severityText: 'Warning',
      body: 'exit code 1',
      attributes: {
        'podvitals.event.id': 'e1',
        'k8s.event.uid': 'e1',
        'k8s.event.reason': 'Died',
        'k8s.object.kind': 'Pod',
        'k8s.object.name': 'cart-1',
        'k8s.object.uid': 'u1',
        'k8s.namespace.name': 'shop',
        'k8s.container.name': 'app',
      },
    });
  });

  it('may be Kubernetes events that OpenTelemetry’s collector sent', () => {
    const record = fromLog({
      resource: new Map([
        ['k8s.object.kind', 'Pod'],
        ['k8s.object.name', 'web-1'],
        ['k8s.object.uid', 'u7'],
        ['k8s.node.name', ''],
      ]),
      log: {
        eventName: '',
        timeMs: START,
        severityNumber: 13,
        severityText: 'Warning',
        body: 'Back-off restarting failed container',
        attributes: new Map([
          ['k8s.event.reason', 'BackOff'],
          ['k8s.event.uid', 'ev9'],
          ['k8s.namespace.name', 'shop'],
        ]),
      },
    });
    const pod = {
      namespace: 'shop',
      name: 'web-1',
      uid: 'u7',
      node: '',
      workload: 'web-1',
      workloadType: 'barepod',
    };
    const event = {
      id: 'ev9',
      at: START,
      pod,
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
    };
    expect(record).toEqual({ kind: 'event', event });
  });

  it('carry any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const writer = new PbfWriter();
        writeAnyValue(value as AnyValue, writer);
        const bytes = writer.finish();
        expect(readAnyValue(new PbfReader(bytes), bytes.length)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the receiver of records', () => {
  const make = () => {
    const clock = createFakeClock(START);
    const store = createMemoryStore({ clock });
    const heard: number[] = [];
    const receiver = createOtlpReceiver({
      store,
      clock,
      onCommitted: ({ newRecords }) => heard.push(newRecords.length),
    });
    return { store, receiver, heard };
  };

  it('stores each once and tells what was new', async () => {
    const { store, receiver, heard } = make();
    const request = encodeRecords(records, FACTS);
    expect(decodeExportResponse(await receiver.logs(request))).toEqual({ rejected: 0, message: '' });
    await receiver.logs(request);
    expect(heard).toEqual([records.length, 0]);
    expect(store.events.events({ namespace: 'shop' })).toHaveLength(3);
    expect(store.events.lives({ container: 'app' })).toEqual([(life as { life: unknown }).life]);
    expect(store.events.workloads({})[0]?.object.metadata.name).toBe('cart');
    expect(store.events.nodes()[0]?.notEnforced).toEqual(['memory limits']);
  });

  it('refuses a record with a wrong member, says which, and keeps the others', async () => {
    const { store, receiver } = make();
    const broken = {
      kind: 'life',
      life: { ...(life as { life: object }).life, startedAt: 'yesterday' },
    } as unknown as AgentRecord;
    const response = decodeExportResponse(await receiver.logs(encodeRecords([broken, records[0]!], FACTS)));
    expect(response.rejected).toBe(1);
    expect(response.message).toMatch(/^life\.startedAt: .*expected number/);
    expect(store.events.events({})).toHaveLength(1);
  });

  it('takes a request that was cut anywhere whole, or not at all', async () => {
    const whole = encodeRecords(records, FACTS);
    for (let length = 1; length < whole.length; length += 7) {
      const { store, receiver, heard } = make();
      await receiver.logs(whole.subarray(0, length)).then(
        () => expect(heard).toHaveLength(1),
        (error) => expect(error.code).toBe('OTLP_MALFORMED'),
      );
      const stored = store.events.events({ limit: 100 }).length;
      expect(heard.length === 0 ? stored : 0).toBe(0);
      await store.close();
    }
  });
});
