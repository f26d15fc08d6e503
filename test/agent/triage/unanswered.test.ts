import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { CONFIG } from '../events/story.ts';
import { type DeathStory, deathOf } from './death-story.ts';

const verdictOf = (story: DeathStory) => diagnoseDeath(deathOf(story));

describe('a death without a reason in its log', () => {
  it('is DependencyRefused when the kernel counted connections that failed', () => {
    const verdict = verdictOf({ life: { failedConnects: 3, exitCode: 7 } });
    expect(verdict).toMatchObject({ cause: 'DependencyRefused', confidence: 'likely' });
    expect(verdict.evidence.map(({ fact }) => fact).join()).toContain('3 failed connections');
  });
  it('is so, too, when it only says whom it needs', () => {
    const verdict = verdictOf({ log: 'cannot start without the cache', life: { failedConnects: 1 } });
    expect(verdict.cause).toBe('DependencyRefused');
    expect(verdict.summary).toContain('without the cache');
  });
  it('is DependencyTimeout when nobody acknowledged what it sent', () => {
    expect(verdictOf({ life: { failedConnects: 0, retransmitTimeouts: 2 } }).cause).toBe('DependencyTimeout');
  });
  it('keeps an error of its own, however many connections failed', () => {
    const log = 'Traceback (most recent call last):\nValueError: discount of 130%';
    expect(verdictOf({ log, life: { failedConnects: 3 } }).cause).toBe('AppError');
    expect(verdictOf({ log: 'ledger does not balance', life: { failedConnects: 3 } }).cause).toBe('AppError');
  });
  it('is told by the exit code of the tool it runs', () => {
    const config = { ...CONFIG, command: ['sh', '-c', 'curl -sf http://vault:8200/v1/sys/health'] };
    const cause = (exitCode: number) => verdictOf({ life: { config, exitCode } }).cause;
    expect([6, 7, 28].map(cause)).toEqual(['DnsFailure', 'DependencyRefused', 'DependencyTimeout']);
    expect(cause(3)).toBe('Unknown');
    expect(verdictOf({ life: { exitCode: 7 } }).cause).toBe('Unknown');
  });
  it('stays Unknown where nothing was counted, and is no dependency when it was killed', () => {
    expect(verdictOf({ life: { failedConnects: 0, retransmitTimeouts: 0 } }).cause).toBe('Unknown');
    expect(verdictOf({ life: { failedConnects: 3, exitCode: 143, signal: 15 } }).cause).toBe(
      'TerminatedBySignal',
    );
  });
});

describe('a setting that a log names', () => {
  it('is certain only as the last complaint', () => {
    const config = { ...CONFIG, envNames: ['PATH'] };
    const said = (log: string) => verdictOf({ log, life: { config } });
    expect(said('FATAL: LEDGER_DSN is not set')).toMatchObject({
      cause: 'MissingConfig',
      confidence: 'certain',
    });
    expect(said('LEDGER_DSN is not set\nERROR: ledger does not balance').confidence).toBe('likely');
    expect(said('FATAL: LEDGER_DSN is not set\nexiting').confidence).toBe('certain');
  });
});
