import { encodeLabels, toLabels } from '../../src/model/labels.ts';
import { encodeWriteRequest } from '../../src/wire/prometheus/remote-write-writer.ts';
import { snappyEncode } from '../../src/wire/prometheus/snappy.ts';
import type { Engine } from './engines.ts';
import { random } from './series.ts';

export const SAMPLES_A_REQUEST = 10_000;

/** Labels as cAdvisor has them: twelve, about 400 bytes in protobuf. */
export function cadvisorLabels(i: number): Uint8Array {
  const pod = `checkout-${(i >> 3) % 5_000}-7d9f8b6c5d-x${(i * 7_919) % 10_000}`;
  return encodeLabels(
    toLabels({
      __name__: `container_metric_${i % 40}_total`,
      container: 'app',
      endpoint: 'https-metrics',
      id: `/kubepods/burstable/pod${(i * 2_654_435_761) % 4_294_967_296}/${i}`,
      image: 'registry.example.com/shop/checkout:v1.42.0',
      instance: `10.0.${(i >> 8) & 255}.${i & 255}:10250`,
      job: 'kubelet',
      metrics_path: '/metrics/cadvisor',
      name: `k8s_app_${pod}_shop_0`,
      namespace: `shop-${i % 20}`,
      node: `node-${i % 50}`,
      pod,
    }),
  );
}

/** Makes the requests of one round after another: each has a sample of every series, 15 s after the round before. */
export function createRounds(seriesCount: number, startMs: number): () => readonly Uint8Array[] {
  const keys = Array.from({ length: seriesCount }, (_, i) => cadvisorLabels(i));
  const values = new Float64Array(seriesCount);
  const words = new Uint32Array(values.buffer);
  const next = random(seriesCount);
  const refs = Float64Array.from({ length: seriesCount }, (_, i) => i);
  let t = startMs;
  return () => {
    for (let i = 0; i < seriesCount; i += 1) values[i]! += Math.floor(next() * 100);
    const columns = {
      refs,
      t: new Float64Array(seriesCount).fill(t),
      high: Uint32Array.from({ length: seriesCount }, (_, i) => words[i * 2 + 1]!),
      low: Uint32Array.from({ length: seriesCount }, (_, i) => words[i * 2]!),
    };
    t += 15_000;
    const requests: Uint8Array[] = [];
    for (let from = 0; from < seriesCount; from += SAMPLES_A_REQUEST) {
      const to = Math.min(seriesCount, from + SAMPLES_A_REQUEST);
      requests.push(snappyEncode(encodeWriteRequest(columns, from, to, (ref) => keys[ref])));
    }
    return requests;
  };
}

export async function send(engine: Engine, body: Uint8Array): Promise<void> {
  const response = await fetch(`${engine.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body: Buffer.from(body),
  });
  if (response.status >= 300) throw new Error(`${engine.name}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}
