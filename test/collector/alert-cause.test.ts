import { describe, expect, it } from 'vitest';
import { withCause, withIncident } from '../../src/collector/alert-cause.ts';
import { terminalReceiver } from '../../src/collector/alerting/receivers/terminal.ts';
import type { Alert } from '../../src/model/alert.ts';
import { labelValue, toLabels } from '../../src/model/labels.ts';
import type { PodState } from '../../src/model/record.ts';
import type { Verdict } from '../../src/model/verdict.ts';

const alert = (labels: Record<string, string>, over: Partial<Alert> = {}): Alert => ({
  labels: toLabels({ alertname: 'PodCrashLooping', severity: 'page', ...labels }),
  annotations: toLabels({
    summary: 'Container cart of shop/cart-1 is crash looping.',
    runbook_url: 'http://127.0.0.1:7638/runbooks/PodCrashLooping?namespace=shop&pod=cart-1',
  }),
  state: 'firing',
  value: 3,
  activeAt: 11_000,
  firedAt: 11_000,
  ...over,
});

const log = (verdict: Partial<Verdict>) => ({
  pods: () => [
    {
      object: { metadata: { name: 'cart-1' } },
      verdict: {
        cause: 'MissingConfig',
        confidence: 'certain',
        summary: 'PAYMENT_URL is not set.',
        evidence: [
          { fact: 'container cart exited with code 1', source: 'life-11', at: '2026-03-01T10:02:01Z' },
          {
            fact: 'since the last life that was well (2 h) changed: image a to b',
            source: 'life-11',
            at: '2026-03-01T10:02:00Z',
          },
        ],
        next: [{ command: 'podvitals get deployment -o yaml shop/cart', why: 'add it' }],
        ...verdict,
      },
    } as PodState,
  ],
});
const cart = { namespace: 'shop', pod: 'cart-1' };

describe('the cause of an alert', () => {
  it('is the verdict on its pod', () => {
    const { annotations } = withCause(alert(cart), log({}));
    expect(labelValue(annotations, 'cause')).toBe('MissingConfig: PAYMENT_URL is not set.');
  });
  it('comes with what shows it, what changed, what to do now and for good', () => {
    const { annotations } = withCause(alert(cart), log({}));
    expect(labelValue(annotations, 'evidence')).toBe(
      '2026-03-01T10:02:01Z container cart exited with code 1',
    );
    expect(labelValue(annotations, 'changed')).toMatch(/changed: image a to b$/);
    expect(labelValue(annotations, 'now')).toMatch(/^Add what is missing/);
    expect(labelValue(annotations, 'next')).toBe('podvitals get deployment -o yaml shop/cart');
    expect(labelValue(annotations, 'for_good')).not.toBe('');
  });
  it('names the incident it belongs to', () => {
    expect(labelValue(withIncident(alert(cart), { id: '1f2e3d4c' }).annotations, 'incident')).toBe(
      '1f2e3d4c',
    );
    expect(withIncident(alert(cart), undefined)).toEqual(alert(cart));
  });
  it('is not guessed: an unknown or healthy pod adds nothing', () => {
    expect(withCause(alert(cart), log({ confidence: 'unknown', cause: 'Unknown' }))).toEqual(alert(cart));
    expect(withCause(alert(cart), log({ cause: 'None' }))).toEqual(alert(cart));
    expect(withCause(alert(cart), { pods: () => [] })).toEqual(alert(cart));
  });
  it('is left out once the alert is over, and for alerts about no pod', () => {
    const over = alert(cart, { state: 'resolved', resolvedAt: 12_000 });
    expect(withCause(over, log({}))).toEqual(over);
    expect(withCause(alert({}), log({}))).toEqual(alert({}));
  });
});

describe('the terminal', () => {
  async function lines(...alerts: readonly Alert[]) {
    const said: string[] = [];
    const outcome = await terminalReceiver((line) => said.push(line)).send(
      { groupKey: '{}', groupLabels: [], alerts, externalUrl: 'http://127.0.0.1:7638' },
      new AbortController().signal,
    );
    expect(outcome).toEqual({ ok: true });
    return said;
  }
  it('tells severity, alert, cause and runbook on one line', async () => {
    expect(await lines(withCause(alert(cart), log({})))).toEqual([
      'PAGE PodCrashLooping: MissingConfig: PAYMENT_URL is not set.  http://127.0.0.1:7638/runbooks/PodCrashLooping?namespace=shop&pod=cart-1',
    ]);
  });
  it('tells the summary where no cause is known, and when an alert is over', async () => {
    expect(await lines(alert(cart), alert(cart, { state: 'resolved', resolvedAt: 12_000 }))).toEqual([
      'PAGE PodCrashLooping: Container cart of shop/cart-1 is crash looping.  http://127.0.0.1:7638/runbooks/PodCrashLooping?namespace=shop&pod=cart-1',
      'RESOLVED PodCrashLooping: Container cart of shop/cart-1 is crash looping.',
    ]);
  });
  it('leaves the watchdog to machines', async () => {
    expect(await lines(alert({ alertname: 'Watchdog', severity: 'none' }))).toEqual([]);
  });
});
