import { describe, expect, it } from 'vitest';
import { relatedTo } from '../../../src/collector/incidents/related.ts';
import type { Incident } from '../../../src/model/incident.ts';

const T = 1_800_000_000_000;
const incident = (workload: string, summary: string, more: Partial<Incident> = {}): Incident => ({
  id: workload,
  subject: { namespace: 'shop', workload },
  cause: 'DependencyRefused',
  failureMode: 'F7',
  confidence: 'certain',
  summary,
  evidence: [],
  severity: 'page',
  from: T,
  detectedAt: T,
  alerts: [],
  pods: [],
  lives: [],
  ...more,
});
const needs = (address: string) =>
  `Container app exits with code 1 because it cannot reach ${address}: the connection is refused, nothing listens there.`;
const cart = incident('cart', needs('db:5432'));
const why = (other: Incident, one = cart) => relatedTo(one, [one, other]).map((it) => it.why);

describe('incidents belong together', () => {
  it('when both name one dependency', () => {
    expect(why(incident('orders', needs('db:5432')))).toEqual(['both depend on db:5432']);
    expect(why(incident('orders', needs('db:5433')))).toEqual([]);
    expect(why(incident('orders', 'Its memory limit was reached.'))).toEqual([]);
  });
  it('when one is the dependency of the other', () => {
    const db = incident('db', 'Container db reached its memory limit.', { cause: 'OOMKilled' });
    expect(why(db)).toEqual(['this depends on it, as db:5432']);
    expect(why(cart, db)).toEqual(['it depends on this, as db:5432']);
    const elsewhere = incident('db', '', { subject: { namespace: 'pay', workload: 'db' } });
    expect(why(elsewhere)).toEqual([]);
    expect(why(elsewhere, incident('cart', needs('db.pay.svc.cluster.local:5432')))).toHaveLength(1);
  });
  it('when pods were evicted from the node that was short', () => {
    const evicted = incident(
      'batch',
      'The pod was evicted from node n1 because the node was short of memory: …',
      {
        failureMode: 'F5',
      },
    );
    const node = incident('n1', 'Node n1 is under MemoryPressure.', { subject: { node: 'n1' } });
    expect(why(node, evicted)).toEqual(['pods were evicted from node n1']);
    expect(why(evicted, node)).toEqual(['pods were evicted from node n1']);
    expect(why({ ...node, subject: { node: 'n2' } }, evicted)).toEqual([]);
  });
  it('only at the same time, the first ones first, and not without end', () => {
    const before = incident('orders', needs('db:5432'), { from: T - 3_600_000, to: T - 1_800_000 });
    expect(why(before)).toEqual([]);
    const many = Array.from({ length: 30 }, (_, i) =>
      incident(`w${i}`, needs('db:5432'), { from: T + 1000 - i }),
    );
    const related = relatedTo(cart, many);
    expect(related).toHaveLength(10);
    expect(related[0]?.id).toBe('w29');
  });
});
