import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { logHint } from '../../../src/agent/triage/log/log-cause.ts';
import { LOG_PATTERNS } from '../../../src/agent/triage/log/log-patterns.ts';
import { deathOf, logOf } from './death-story.ts';
import { CONFUSABLE, LOG_CORPUS, type LogCase } from './log-corpus.ts';

const verdictOf = ({ log, exitCode = 1 }: LogCase) => diagnoseDeath(deathOf({ log, life: { exitCode } }));

describe('every log pattern', () => {
  for (const { cause, language, pattern, example } of LOG_PATTERNS) {
    it(`of ${cause} (${language}) finds its own example: ${example.slice(0, 60)}`, () => {
      expect(example).toMatch(pattern);
      expect(logHint(logOf(example))?.cause).toBe(cause);
    });
  }
});

describe('the log of a life shows', () => {
  for (const story of LOG_CORPUS) {
    it(`${story.cause}: ${story.what}`, () => {
      const verdict = verdictOf(story);
      expect(verdict.cause).toBe(story.cause);
      expect(verdict.summary).toContain(story.names ?? 'cart');
      expect(verdict.next.length).toBeGreaterThan(0);
    });
  }
  it('in at least 60 ways', () => expect(LOG_CORPUS.length).toBeGreaterThanOrEqual(60));
});

describe('a log that mentions something else', () => {
  for (const story of CONFUSABLE) {
    it(`is ${story.cause}: ${story.what}`, () => {
      const verdict = verdictOf(story);
      expect(verdict.cause).toBe(story.cause);
      expect(verdict.summary).toContain(story.names ?? 'cart');
    });
  }
});

describe('a log alone', () => {
  it('makes no verdict certain', () => {
    for (const story of LOG_CORPUS) {
      const verdict = diagnoseDeath(deathOf({ log: story.log, life: { exitCode: 1 } }));
      const facts = verdict.evidence.filter(
        ({ fact }) => !fact.startsWith('its log') && !fact.includes('exited with'),
      );
      if (verdict.confidence === 'certain') expect(facts.length, story.what).toBeGreaterThan(0);
    }
  });

  it('costs little time, however it is made', () => {
    const hostile = [
      'a'.repeat(100_000),
      '('.repeat(50_000),
      'Error: '.repeat(20_000),
      `${'A_'.repeat(50_000)} is`,
      'open /'.repeat(20_000),
    ];
    for (const text of hostile) expect(() => logHint(logOf(`${text}\n`.repeat(60)))).not.toThrow();
  });
});
