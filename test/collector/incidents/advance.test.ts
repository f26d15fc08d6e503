import { describe, expect, it } from 'vitest';
import { advance, type Finding, QUIET_MS, subjectOf } from '../../../src/collector/incidents/advance.ts';
import { incidentCounts } from '../../../src/collector/incidents/incident-counts.ts';
import type { Alert } from '../../../src/model/alert.ts';
import type { Incident } from '../../../src/model/incident.ts';
import { toLabels, toRecord } from '../../../src/model/labels.ts';
import type { Life } from '../../../src/model/life.ts';
import type { Verdict } from '../../../src/model/verdict.ts';

const T = 1_800_000_000_000;
const MINUTE = 60_000;

const alert = (name: string, over: Partial<Alert> & { severity?: string; pod?: string } = {}): Alert => ({
  labels: toLabels({
    alertname: name,
    severity: over.severity ?? 'ticket',
    namespace: 'shop',
    workload: 'cart',
    pod: over.pod ?? 'cart-1',
  }),
  annotations: toLabels({ summary: `${name} of cart` }),
  state: 'firing',
  value: 3,
  activeAt: over.activeAt ?? T,
  firedAt: over.firedAt ?? over.activeAt ?? T,
});
const verdict = (cause: string, confidence: Verdict['confidence'], facts = 1): Verdict => ({
  cause,
  failureMode: 'F1',
  confidence,
  summary: `${cause} it is.`,
  evidence: Array.from({ length: facts }, (_, i) => ({
    fact: `fact ${i}`,
    source: 'life-11',
    at: '2027-01-15T08:00:00Z',
  })),
  next: [],
});
const death = (id: string, finishedAt: number, name = 'cart-1') =>
  ({ id, finishedAt, pod: { name } }) as unknown as Life;
const finding = (over: Partial<Finding> = {}): Finding => ({
  alert: alert('PodCrashLooping'),
  subject: { namespace: 'shop', workload: 'cart' },
  verdicts: [],
  deaths: [],
  ...over,
});
const only = (incidents: readonly Incident[]) => {
  expect(incidents).toHaveLength(1);
  return incidents[0]!;
};

describe('an incident', () => {
  it('opens with the first alert of a subject, and begins with the deaths that led to it', () => {
    const incident = only(
      advance(
        [],
        [finding({ deaths: [death('c', T), death('a', T - 20 * MINUTE), death('old', T - 40 * MINUTE)] })],
        T,
      ),
    );
    expect(incident).toMatchObject({
      subject: { namespace: 'shop', workload: 'cart' },
      cause: 'Unknown',
      confidence: 'unknown',
      summary: 'PodCrashLooping of cart',
      from: T - 20 * MINUTE,
      detectedAt: T,
      lives: ['a', 'c'],
      pods: ['cart-1'],
      alerts: [{ name: 'PodCrashLooping', severity: 'ticket', firedAt: T }],
    });
    expect(incident.id).toMatch(/^[0-9a-f]{8}$/);
    expect(incident).not.toHaveProperty('to');
  });

  it('is one for all alerts and pods of a workload, and a page once one of them is', () => {
    const incident = only(
      advance(
        [],
        [
          finding({ alert: alert('PodOOMKilled') }),
          finding({ alert: alert('PodCrashLooping', { severity: 'page', pod: 'cart-2', activeAt: T + 5 }) }),
        ],
        T + 10,
      ),
    );
    expect(incident.severity).toBe('page');
    expect(incident.alerts.map(({ name }) => name)).toEqual(['PodOOMKilled', 'PodCrashLooping']);
    expect(incident.pods).toEqual(['cart-1', 'cart-2']);
  });

  it('has the cause of the surest verdict, of two equally sure the first', () => {
    const opened = only(
      advance([], [finding({ verdicts: [{ pod: 'cart-1', verdict: verdict('AppError', 'likely') }] })], T),
    );
    expect(opened.cause).toBe('AppError');
    const surer = finding({ verdicts: [{ pod: 'cart-1', verdict: verdict('MissingConfig', 'certain') }] });
    const decided = only(advance([opened], [surer], T + 1000));
    expect(decided).toMatchObject({
      cause: 'MissingConfig',
      confidence: 'certain',
      summary: 'MissingConfig it is.',
    });
    const later = finding({ verdicts: [{ pod: 'cart-2', verdict: verdict('DnsFailure', 'certain', 9) }] });
    expect(only(advance([decided], [later], T + 2000)).cause).toBe('MissingConfig');
  });

  it('does not change when nothing does', () => {
    const findings = [finding({ deaths: [death('a', T)] })];
    const opened = only(advance([], findings, T));
    expect(advance([opened], findings, T + MINUTE)).toEqual([]);
  });

  it('is quiet when its alerts stop, and over when it stays so: from when it became quiet', () => {
    const opened = only(advance([], [finding()], T));
    const quiet = only(advance([opened], [], T + MINUTE));
    expect(quiet).toMatchObject({ quietSince: T + MINUTE, alerts: [{ resolvedAt: T + MINUTE }] });
    expect(quiet).not.toHaveProperty('to');
    expect(advance([quiet], [], T + MINUTE + QUIET_MS - 1)).toEqual([]);
    expect(only(advance([quiet], [], T + MINUTE + QUIET_MS)).to).toBe(T + MINUTE);
  });

  it('goes on when an alert comes back soon, with both times it fired', () => {
    const opened = only(advance([], [finding()], T));
    const quiet = only(advance([opened], [], T + MINUTE));
    const again = only(
      advance(
        [quiet],
        [finding({ alert: alert('PodCrashLooping', { activeAt: T + 2 * MINUTE }) })],
        T + 2 * MINUTE,
      ),
    );
    expect(again.id).toBe(opened.id);
    expect(again).not.toHaveProperty('quietSince');
    expect(again.alerts.map(({ firedAt, resolvedAt }) => [firedAt, resolvedAt])).toEqual([
      [T, T + MINUTE],
      [T + 2 * MINUTE, undefined],
    ]);
  });

  it('is bounded, whatever dies', () => {
    const deaths = Array.from({ length: 1000 }, (_, i) => death(`life-${i}`, T - 1000 + i, `pod-${i}`));
    const incident = only(advance([], [finding({ deaths })], T));
    expect(incident.lives).toHaveLength(200);
    expect(incident.pods).toHaveLength(100);
  });
});

describe('what an incident is about', () => {
  const subject = (labels: Record<string, string>) =>
    subjectOf(toLabels({ severity: 'ticket', ...labels }), (_, pod) =>
      pod === 'cart-1' ? 'cart' : undefined,
    );
  it.each([
    [
      { namespace: 'shop', workload: 'cart', pod: 'cart-1' },
      { namespace: 'shop', workload: 'cart' },
    ],
    [
      { namespace: 'shop', pod: 'cart-1' },
      { namespace: 'shop', workload: 'cart' },
    ],
    [
      { namespace: 'shop', pod: 'alone' },
      { namespace: 'shop', workload: 'alone' },
    ],
    [{ node: 'n1' }, { node: 'n1' }],
    [{ slo: 'ready' }, { slo: 'ready' }],
    [
      { namespace: 'shop', workload: 'cart', slo: 'ready' },
      { namespace: 'shop', workload: 'cart' },
    ],
    [{}, {}],
  ])('%j is %j', (labels, wanted) => expect(subject(labels as Record<string, string>)).toEqual(wanted));
  it('is nothing for alerts nobody has to act on', () => {
    expect(subject({ severity: 'none' })).toBeUndefined();
  });
});

it('incidents are counted by cause over 30 days, the open ones by themselves as well', () => {
  const opened = only(advance([], [finding()], T));
  const month = 30 * 86_400_000;
  const counts = incidentCounts(
    [
      opened,
      { ...opened, to: T - month },
      { ...opened, to: T - month - 1 },
      { ...opened, cause: 'OOMKilled', to: T },
    ],
    T,
  );
  expect(counts.map(({ labels, value }) => ({ ...toRecord(labels), value }))).toEqual([
    {
      __name__: 'cause:incidents:count30d',
      cause: 'Unknown',
      namespace: 'shop',
      severity: 'ticket',
      value: 2,
    },
    {
      __name__: 'cause:incidents:count30d',
      cause: 'OOMKilled',
      namespace: 'shop',
      severity: 'ticket',
      value: 1,
    },
    {
      __name__: 'cause:incidents_open:count',
      cause: 'Unknown',
      namespace: 'shop',
      severity: 'ticket',
      value: 1,
    },
  ]);
});
