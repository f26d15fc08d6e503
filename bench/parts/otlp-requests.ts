import { decodeLabels, METRIC_NAME, toRecord } from '../../src/model/labels.ts';
import { encodeForeign, type ForeignMetric } from '../../test/wire/otlp/foreign-metrics.ts';
import type { Engine } from './engines.ts';
import { random } from './series.ts';
import { cadvisorLabels, SAMPLES_A_REQUEST } from './write-requests.ts';

/**
 * The same series as data points of OTLP: ten attributes each, a resource with job and instance. `createRounds` for
 * another door.
 */
export function createOtlpRounds(seriesCount: number, startMs: number): () => readonly Uint8Array[] {
  const series = Array.from({ length: seriesCount }, (_, i) => {
    const {
      [METRIC_NAME]: name,
      job: _job,
      instance: _instance,
      ...attributes
    } = toRecord(decodeLabels(cadvisorLabels(i)));
    return { name: name!.replace(/_total$/, ''), attributes, value: 0 };
  });
  const next = random(seriesCount);
  let t = startMs;
  return () => {
    for (const one of series) one.value += Math.floor(next() * 100);
    t += 15_000;
    const requests: Uint8Array[] = [];
    for (let from = 0; from < seriesCount; from += SAMPLES_A_REQUEST) {
      const byName = Map.groupBy(series.slice(from, from + SAMPLES_A_REQUEST), ({ name }) => name);
      const metrics = [...byName].map(
        ([name, points]): ForeignMetric => ({ name, unit: '', kind: 'sum', monotonic: true, points }),
      );
      const resource = {
        'service.name': 'kubelet',
        'service.instance.id': `10.0.0.${from / SAMPLES_A_REQUEST}:10250`,
      };
      requests.push(encodeForeign(metrics, resource, t));
    }
    return requests;
  };
}

const PATHS: Readonly<Record<Engine['name'], string>> = {
  podvitals: '/v1/metrics',
  prometheus: '/api/v1/otlp/v1/metrics',
  'victoria-metrics': '/opentelemetry/v1/metrics',
};

/** False when this build has no such door. */
export async function sendOtlp(engine: Engine, body: Uint8Array): Promise<boolean> {
  const response = await fetch(`${engine.url}${PATHS[engine.name]}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(body),
  });
  const answer = await response.text();
  if (response.status === 404) return false;
  if (response.status >= 300) throw new Error(`${engine.name}: ${response.status} ${answer}`);
  return true;
}
