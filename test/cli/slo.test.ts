import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SloSample, statusesOf } from '../../src/cli/slo-status.ts';
import { runCommandLine } from '../support/command-line.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-slo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const podvitals = (...args: readonly string[]) =>
  runCommandLine(args, { PODVITALS_SERVER: 'http://127.0.0.1:9' });

describe('slo', () => {
  it('check says what each SLO promises, and when it would alert', async () => {
    const { code, out } = await podvitals('slo', 'check', join(root, 'slos/shop.yaml'));
    expect(code).toBe(0);
    expect(out).toContain('SUCCESS: 3 SLOs found');
    expect(out).toContain('pod-ready-ratio: 99% over 30d, budget 1%, for each namespace, workload');
    expect(out).toContain('page   above 14.4% bad over 1h and 5m (14.4x)');
  });

  it('check goes through all files, and fails when one cannot be evaluated', async () => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'kind: SLI\n');
    const { code, out, err } = await podvitals('slo', 'check', bad, join(root, 'slos/shop.yaml'));
    expect(code).toBe(1);
    expect(err).toContain(`${bad}:1: kind "SLI" cannot be read; allowed are SLO, DataSource, Service`);
    expect(out).toContain('SUCCESS: 3 SLOs found');
  });

  it('rules are those that ship, and pass the check of rules', async () => {
    const { out } = await podvitals('slo', 'rules', join(root, 'slos/shop.yaml'));
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, out);
    expect(await podvitals('rules', 'check', file)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/SUCCESS: \d\d rules found/),
    });
  });

  it('a file that is not there is named', async () => {
    expect(await podvitals('slo', 'rules', join(folder, 'none.yaml'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot read'),
    });
  });
});

describe('the state of a budget', () => {
  const sample = (name: string, value: number, labels: Record<string, string> = {}): SloSample => ({
    labels: { __name__: name, slo: 'ready', service: 'shop', ...labels },
    value,
  });
  const known = [sample('slo:objective:ratio', 0.99), sample('slo:time_period:days', 30)];
  const web = { namespace: 'shop', workload: 'web' };
  const cart = { namespace: 'shop', workload: 'cart' };
  const firing = (alertname: string, severity: string, labels: Record<string, string>) =>
    sample('ALERTS', 1, { alertname, severity, alertstate: 'firing', ...labels });

  it('is told for each thing that has one, those that burn first', () => {
    const statuses = statusesOf([
      ...known,
      sample('slo:period_error_budget_remaining:ratio', 0.9, cart),
      sample('slo:current_burn_rate:ratio', 0.1, cart),
      sample('slo:period_error_budget_remaining:ratio', 0.2, web),
      sample('slo:current_burn_rate:ratio', 20, web),
      firing('SLOBudgetBurn', 'ticket', web),
      firing('SLOBudgetBurn', 'page', web),
    ]);
    expect(statuses).toEqual([
      {
        slo: 'ready',
        service: 'shop',
        labels: web,
        objective: 0.99,
        periodDays: 30,
        budgetRemaining: 0.2,
        burnRate: 20,
        state: 'burning (page)',
      },
      expect.objectContaining({ labels: cart, budgetRemaining: 0.9, state: 'ok' }),
    ]);
  });

  it('is "spent" at nothing left, and "no data" where nothing is known, which is not the same as untouched', () => {
    const spent = [...known, sample('slo:period_error_budget_remaining:ratio', 0, web)];
    expect(statusesOf(spent)).toMatchObject([{ state: 'spent', labels: web }]);
    expect(statusesOf(known)).toEqual([
      { slo: 'ready', service: 'shop', labels: {}, objective: 0.99, periodDays: 30, state: 'no data' },
    ]);
  });

  it('says for how long its SLO has been evaluated, where that is known', () => {
    const histories = new Map([
      ['ready', 5400],
      ['fast', 60],
    ]);
    expect(statusesOf(known, histories)).toMatchObject([{ slo: 'ready', historySeconds: 5400 }]);
  });

  it('of another SLO is another', () => {
    const other = { ...known[0]!, labels: { ...known[0]!.labels, slo: 'fast' } };
    const statuses = statusesOf([...known, other, firing('SLOBudgetBurn', 'page', { slo: 'fast' })]);
    expect(statuses.map(({ slo, state }) => [slo, state])).toEqual([
      ['fast', 'burning (page)'],
      ['ready', 'no data'],
    ]);
  });
});
