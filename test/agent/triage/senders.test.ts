import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { SignalSender } from '../../../src/model/life.ts';
import { START } from '../events/story.ts';
import { deathOf } from './death-story.ts';

const from = (sender: Partial<SignalSender>): SignalSender => ({
  at: START + 990,
  signal: 9,
  pid: 812,
  command: 'kill',
  target: { pid: 11, command: 'node', mainProcess: true },
  place: 'pod',
  container: 'janitor',
  ...sender,
});
const killed = (sender: Partial<SignalSender>, life = {}) =>
  diagnoseDeath(deathOf({ life: { exitCode: 137, signal: 9, sender: from(sender), ...life } }));

describe('a signal whose sender was traced', () => {
  it('was sent by a sibling: another container of the pod, another process of the container', () => {
    const verdict = killed({});
    expect(verdict).toMatchObject({ cause: 'KilledBySibling', confidence: 'certain', failureMode: 'F1' });
    expect(verdict.summary).toContain('process kill (pid 812) of container janitor in the same pod');
    expect(verdict.evidence.map(({ fact }) => fact)).toContain(
      'the kernel traced SIGKILL to its first process, sent by process kill (pid 812) of container janitor in the same pod',
    );
    expect(killed({ place: 'container' })).toMatchObject({ cause: 'KilledBySibling' });
  });
  it('was sent by a user who had logged in to the node, or by something else on it', () => {
    expect(killed({ place: 'node', user: 'ada' })).toMatchObject({
      cause: 'KilledByUser',
      confidence: 'certain',
    });
    expect(killed({ place: 'exec' })).toMatchObject({
      cause: 'KilledByUser',
      summary: expect.stringContaining('process kill (pid 812) of a command that was run by podvitals exec'),
    });
    expect(killed({ place: 'node' })).toMatchObject({ cause: 'TerminatedBySignal', confidence: 'certain' });
    expect(killed({ place: 'other-pod', pod: 'ops/reaper' }).summary).toContain('of pod ops/reaper');
  });
  it('is a way of its own to end, when the program sent it to itself or to its child', () => {
    expect(killed({ place: 'itself' })).toMatchObject({ cause: 'TerminatedBySignal', confidence: 'likely' });
    expect(killed({ place: 'parent' })).toMatchObject({ cause: 'TerminatedBySignal', confidence: 'likely' });
    const aborted = { exitCode: 134, signal: 6, sender: from({ signal: 6, place: 'itself' }) };
    expect(diagnoseDeath(deathOf({ life: aborted }))).toMatchObject({ cause: 'AbortedAssertion' });
  });
  it('made a program end that ended with a code of its own: likely', () => {
    const life = { exitCode: 0, sender: from({ signal: 15 }) };
    expect(diagnoseDeath(deathOf({ life }))).toMatchObject({
      cause: 'KilledBySibling',
      confidence: 'likely',
    });
  });
  it('calls a rollout only what is one: a Job that is suspended replaces nothing', () => {
    const summary = (message: string) =>
      killed({}, { killRequest: { by: 'rollout', message, at: START + 900 } }).summary;
    expect(summary('Job nightly is suspended')).toContain('its pod no longer (Job nightly is suspended)');
    expect(summary('Scaled down by Deployment cart')).toContain('(Scaled down by Deployment cart)');
    expect(summary('Replaced by a newer template of Deployment cart')).toContain(
      'a rollout replaced its pod',
    );
  });
  it('explains nothing that was asked for, or that the kernel killed for memory', () => {
    const request = { by: 'rollout', message: 'Replaced', at: START + 900 } as const;
    expect(killed({}, { killRequest: request }).cause).toBe('None');
    const life = { exitCode: 137, signal: 9, sender: from({}) };
    expect(diagnoseDeath(deathOf({ life, oomKillsCounted: 1 })).cause).toBe('OOMKilled');
  });
});

describe('an operation that is not permitted', () => {
  const log = "chown: changing ownership of '/data/x': Operation not permitted";
  const taken = { name: 'cart', securityContext: { capabilities: { drop: ['ALL'] } } };
  it('was denied for want of a capability that its manifest takes from root', () => {
    expect(diagnoseDeath(deathOf({ log, spec: taken }))).toMatchObject({
      cause: 'SecurityDenied',
      confidence: 'likely',
    });
    expect(diagnoseDeath(deathOf({ log, spec: taken, user: 1000 })).cause).toBe('PermissionDenied');
    expect(diagnoseDeath(deathOf({ log })).cause).toBe('PermissionDenied');
    const byMode = "cat: '/data/x': Permission denied";
    expect(diagnoseDeath(deathOf({ log: byMode, spec: taken })).cause).toBe('PermissionDenied');
  });
  it('was denied by a security module, when the kernel logged that', () => {
    const denial = { by: 'AppArmor', what: 'open /etc/shop.key' } as const;
    const verdict = diagnoseDeath(
      deathOf({ log: 'cat: /etc/shop.key: Permission denied', life: { denial } }),
    );
    expect(verdict).toMatchObject({ cause: 'SecurityDenied', confidence: 'certain' });
    expect(diagnoseDeath(deathOf({ life: { denial } }))).toMatchObject({
      cause: 'SecurityDenied',
      confidence: 'likely',
    });
  });
});

describe('words of tools, told apart by how they end', () => {
  const causeOf = (log: string, exitCode: number) =>
    diagnoseDeath(deathOf({ log, life: { exitCode } })).cause;
  it('a command that is not there is no missing file', () => {
    expect(causeOf('xargs: convert-image: No such file or directory', 127)).toBe('CommandNotFound');
    expect(causeOf("nice: 'shopd': No such file or directory", 127)).toBe('CommandNotFound');
    expect(causeOf('bash: line 1: REGION: parameter null or not set', 127)).toBe('MissingConfig');
    expect(causeOf('cat: /etc/shop/boot.ini: No such file or directory', 1)).toBe('MissingConfig');
  });
  it('a folder is no program of another architecture', () => {
    expect(causeOf('bash: line 1: /etc/ssl: cannot execute: Is a directory', 126)).toBe('PermissionDenied');
    expect(causeOf('bash: line 1: /app/x: cannot execute binary file: Exec format error', 126)).toBe(
      'WrongArchitecture',
    );
  });
  it('a peer that hangs up, a name that was looked up, a setting that an assertion reads', () => {
    expect(causeOf('ConnectionResetError: [Errno 104] Connection reset by peer', 1)).toBe(
      'DependencyRefused',
    );
    expect(causeOf('lookup of inventory.shop.svc failed', 2)).toBe('DnsFailure');
    expect(causeOf('mount: /scratch: permission denied.', 32)).toBe('PermissionDenied');
    const assertion = `AssertionError [ERR_ASSERTION]: The expression evaluated to a falsy value:\n\n  assert(process.env.LEDGER_DSN)\n`;
    expect(causeOf(assertion, 1)).toBe('MissingConfig');
    expect(causeOf('java.lang.NullPointerException: PAYMENT_KEY', 1)).toBe('MissingConfig');
    expect(causeOf('TypeError: counts.MAX_ITEMS is not a function', 1)).toBe('AppError');
    expect(causeOf('no database configured: set DATABASE_URL', 255)).toBe('MissingConfig');
  });
});
