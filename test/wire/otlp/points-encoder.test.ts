import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import {
  createPointsEncoder,
  POINTS_PER_REQUEST,
  type PointsEncoder,
} from '../../../src/wire/otlp/points-encoder.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { START } from '../../conformance/store.ts';

const FACTS = { node: 'node-11', instance: 'node-11:7639', version: '1.2.3' };

/** Every signal twice, of one pod and of another, signals of one resource in between others'; values differ by `round`. */
const pointsOf = (round: number): readonly Point[] =>
  ['cart', 'web'].flatMap((pod) =>
    [...catalogue, ...catalogue].map((signal, n): Point => {
      const labels = signal.labels.map(({ name }, i) => (i === 2 ? '' : `${name}-${pod}-${n % 3}`));
      const start = n % 2 === 0 ? { startMs: START - n } : {};
      if (signal.type !== 'histogram') return { signal, labels, value: round * 1e10 + n + 0.5, ...start };
      const buckets = [...signal.bounds!.map((_, b) => b + round * 2 ** 33), 3];
      return { signal, labels, buckets, sum: 12.5 * round, count: round * 2 ** 35 + n, ...start };
    }),
  );

const sameBytes = (some: Uint8Array, others: Uint8Array) => Buffer.from(some).equals(others);

const encodeOne = (encoder: PointsEncoder, points: readonly Point[], atMs: number) =>
  Buffer.concat(encoder.encode([points], atMs).map(({ body }) => body));

describe('points that are encoded again', () => {
  it('have the bytes of points that are encoded for the first time', () => {
    const encoder = createPointsEncoder(FACTS);
    for (const round of [1, 2, 3]) {
      const [points, at] = [pointsOf(round), START + round * 15_007];
      expect(sameBytes(encodeOne(encoder, points, at), encodePoints(points, at, FACTS))).toBe(true);
    }
    expect(encoder.size).toBeGreaterThan(4);
  });

  it('may be fewer, others, without a start, or ended', () => {
    const encoder = createPointsEncoder(FACTS);
    const all = pointsOf(1);
    const without = ({ startMs: _, ...point }: Point) => point as Point;
    const rounds: readonly (readonly Point[])[] = [
      all,
      all.slice(0, -5),
      all.toReversed(),
      all.map(without),
      all.map((point) => ({ ...point, startMs: START - 60_000 })),
      all.map((point, index) => (index % 7 === 0 ? { ...point, ended: true as const } : point)),
      all.map((point) => ({ ...point, labels: point.labels.map((label) => `${label}x`) })),
      all,
    ];
    for (const [round, points] of rounds.entries())
      expect(
        sameBytes(encodeOne(encoder, points, START + round), encodePoints(points, START + round, FACTS)),
      ).toBe(true);
  });

  it('are forgotten when nothing is sent of their resource', () => {
    const encoder = createPointsEncoder(FACTS);
    const [signal] = catalogue.filter(({ labels, type }) => type === 'gauge' && labels[0]?.on === 'resource');
    const one = (name: string): Point => ({
      signal: signal!,
      labels: signal!.labels.map(() => name),
      value: 1,
    });
    for (let pod = 0; pod < 5000; pod += 1) encodeOne(encoder, [one(`pod-${pod}`)], START + pod);
    expect(encoder.size).toBe(4096);
    for (let minute = 0; minute < 11; minute += 1) encodeOne(encoder, [one('last')], START + minute * 60_000);
    expect(encoder.size).toBe(1);
  });

  it('go in requests of bounded size, however groups are divided', () => {
    const points = pointsOf(1);
    const groups = [
      points,
      [],
      ...Array.from({ length: 40 }, () => points),
      Array.from({ length: 30 }, () => points).flat(),
    ];
    const requests = createPointsEncoder(FACTS).encode(groups, START);
    expect(requests.length).toBeGreaterThan(2);
    expect(Math.max(...requests.map(({ count }) => count))).toBeLessThanOrEqual(POINTS_PER_REQUEST);
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(groups.flat().length);
    const bytes = (all: readonly (readonly Point[])[]) =>
      all.reduce(
        (sum, group) => sum + (group.length === 0 ? 0 : encodePoints(group, START, FACTS).length),
        0,
      );
    expect(bytes(groups.slice(0, 2))).toBe(
      createPointsEncoder(FACTS).encode(groups.slice(0, 2), START)[0]!.body.length,
    );
  });

  it('are asked for one group after the other, each encoded before the next', () => {
    const encoder = createPointsEncoder(FACTS);
    const [first, second] = [pointsOf(1), pointsOf(2)];
    const bodies = encoder.encode([first, second], START).map(({ body }) => body);
    expect(
      Buffer.concat(bodies).equals(
        Buffer.concat([first, second].map((group) => encodePoints(group, START, FACTS))),
      ),
    ).toBe(true);
  });
});
