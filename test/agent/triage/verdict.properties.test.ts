import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Death } from '../../../src/agent/triage/death.ts';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { ProbeResult } from '../../../src/model/life.ts';
import type { Verdict } from '../../../src/model/verdict.ts';
import { CONFIG, START } from '../events/story.ts';
import { deathOf, logOf } from './death-story.ts';
import { CONFUSABLE, LOG_CORPUS } from './log-corpus.ts';

const MIB = 2 ** 20;
const killed = { exitCode: 137, signal: 9 } as const;
const byProbe = {
  ...killed,
  unrequested: true,
  finishedAt: START + 20_000,
  killRequest: {
    by: 'probe',
    message: 'Container cart failed liveness probe, will be restarted',
    at: START + 19_000,
  },
} as const;
const asked = (at: number, more: Partial<ProbeResult>): ProbeResult => ({
  at: START + at,
  probe: 'liveness',
  ok: false,
  target: 'GET http://10.137.0.2:8080/healthz',
  message: 'Get "http://10.137.0.2:8080/healthz": context deadline exceeded',
  latencyMs: 1000,
  ...more,
});
const well = { ok: true, message: '', latencyMs: 12 } as const;
const spec = { name: 'cart', livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } };

/** Deaths whose verdict is certain, and the same without the fact that decides. */
const DECIDED: readonly {
  readonly what: string;
  readonly cause: string;
  readonly death: Death;
  readonly without: Death;
}[] = [
  {
    what: "an OOM kill without the kernel's counter",
    cause: 'OOMKilled',
    death: deathOf({ life: killed, oomKillsCounted: 1 }),
    without: deathOf({ life: killed, oomKillsCounted: 0 }),
  },
  {
    what: 'a child that was killed for memory without its victim',
    cause: 'ChildOOMKilled',
    death: deathOf({
      oomKillsCounted: 1,
      life: {
        oomKills: [{ at: START + 900, pid: 41, command: 'tail', rssBytes: 47 * MIB, mainProcess: false }],
      },
    }),
    without: deathOf({ oomKillsCounted: 1 }),
  },
  {
    what: 'a missing variable that is among the variables after all',
    cause: 'MissingConfig',
    death: deathOf({ log: 'Error: PAYMENT_URL is not set' }),
    without: deathOf({
      log: 'Error: PAYMENT_URL is not set',
      life: { config: { ...CONFIG, envNames: ['PAYMENT_URL'] } },
    }),
  },
  {
    what: 'a port in use on which nothing was seen to listen',
    cause: 'PortInUse',
    death: deathOf({
      log: 'Error: listen EADDRINUSE: address already in use :::8080',
      life: { listening: [{ address: '0.0.0.0', port: 8080 }] },
    }),
    without: deathOf({ log: 'Error: listen EADDRINUSE: address already in use :::8080' }),
  },
  {
    what: 'a read-only file system that the manifest does not have',
    cause: 'ReadOnlyFilesystem',
    death: deathOf({
      log: "Error: EROFS: read-only file system, open '/data/wal'",
      spec: { name: 'cart', volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }] },
    }),
    without: deathOf({ log: "Error: EROFS: read-only file system, open '/data/wal'" }),
  },
  {
    what: 'a descriptor limit that was not seen to be near',
    cause: 'FileDescriptorLimit',
    death: deathOf({
      log: 'Error: EMFILE: too many open files',
      life: { vitals: [{ at: START + 500, openDescriptors: 1019, descriptorLimit: 1024, processes: 1 }] },
    }),
    without: deathOf({ log: 'Error: EMFILE: too many open files' }),
  },
  {
    what: 'a refused connection that the kernel did not count',
    cause: 'DependencyRefused',
    death: deathOf({ log: 'Error: connect ECONNREFUSED 10.88.0.7:5432', life: { failedConnects: 3 } }),
    without: deathOf({ log: 'Error: connect ECONNREFUSED 10.88.0.7:5432', life: { failedConnects: 0 } }),
  },
  {
    what: 'a heap that was full without the abort',
    cause: 'HeapExhausted',
    death: deathOf({
      log: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      life: { exitCode: 134 },
    }),
    without: deathOf({
      log: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    }),
  },
  {
    what: 'a command that was not found without the exit of a shell',
    cause: 'CommandNotFound',
    death: deathOf({ log: 'sh: 1: shop-server: not found', life: { exitCode: 127 } }),
    without: deathOf({ log: 'sh: 1: shop-server: not found' }),
  },
  {
    what: 'a probe too strict without the answer that came late',
    cause: 'LivenessProbeTooStrict',
    death: deathOf({
      spec,
      life: {
        ...byProbe,
        probes: [asked(5000, {}), asked(5900, { ...well, latencyMs: 1900, late: true }), asked(15_000, {})],
      },
    }),
    without: deathOf({ spec, life: { ...byProbe, probes: [asked(5000, {}), asked(15_000, {})] } }),
  },
  {
    what: 'a hung program that was never seen well',
    cause: 'ApplicationHung',
    death: deathOf({
      spec,
      life: { ...byProbe, probes: [asked(2000, well), asked(12_000, {}), asked(18_000, {})] },
    }),
    without: deathOf({ spec, life: { ...byProbe, probes: [asked(12_000, {}), asked(18_000, {})] } }),
  },
];

const ALL: readonly Death[] = [
  ...DECIDED.flatMap(({ death, without }) => [death, without]),
  ...[...LOG_CORPUS, ...CONFUSABLE].map(({ log, exitCode = 1 }) => deathOf({ log, life: { exitCode } })),
  deathOf({ life: killed }),
  deathOf({ life: { exitCode: 0 } }),
];
const anyDeath = fc.constantFrom(...ALL);
const RANKS: readonly Verdict['confidence'][] = ['unknown', 'likely', 'certain'];

describe('a verdict', () => {
  it('cites only lives and series of the pod, and only lines that were logged', () => {
    for (const death of ALL) {
      const { life, earlier } = death;
      const lives = [life, ...earlier].map(({ id }) => id);
      for (const { fact, source } of diagnoseDeath(death).evidence) {
        const isSeries = source.includes(`namespace="${life.pod.namespace}",pod="${life.pod.name}"`);
        expect(lives.includes(source) || isSeries, `${fact} by ${source}`).toBe(true);
        const line = /^its log: (.*)$/.exec(fact)?.[1];
        const logged = life.log.map(({ text }) => text.replace(/\s+/g, ' ').trim());
        if (line) expect(logged.some((text) => text.startsWith(line.replace(/…$/, '')))).toBe(true);
      }
    }
  });

  for (const { what, cause, death, without } of DECIDED) {
    it(`is certain no more for ${what}`, () => {
      const [before, after] = [diagnoseDeath(death), diagnoseDeath(without)];
      expect(before).toMatchObject({ cause, confidence: 'certain' });
      if (after.cause === cause)
        expect(RANKS.indexOf(after.confidence)).toBeLessThan(RANKS.indexOf('certain'));
      else expect(after.cause).not.toBe(cause);
    });
  }

  it('does not depend on the order in which facts arrived', () => {
    const shuffled = <T>(facts: readonly T[]) =>
      fc.shuffledSubarray([...facts], { minLength: facts.length, maxLength: facts.length });
    // Lines of one log come by one way, in order.
    const arrivals = anyDeath.chain((death) =>
      fc
        .record({
          probes: shuffled(death.life.probes),
          oomKills: shuffled(death.life.oomKills),
          vitals: shuffled(death.life.vitals),
          listening: shuffled(death.life.listening),
          log: shuffled(death.life.log),
          earlier: shuffled(death.earlier),
        })
        .map(
          ({ earlier, ...life }) => [death, { ...death, earlier, life: { ...death.life, ...life } }] as const,
        ),
    );
    fc.assert(
      fc.property(arrivals, ([death, arrived]) => {
        expect(diagnoseDeath(arrived)).toEqual(diagnoseDeath(death));
      }),
      { numRuns: 400 },
    );
  });

  it('is never certain by lines of a log alone', () => {
    for (const { log } of [...LOG_CORPUS, ...CONFUSABLE]) {
      const known = [...log.matchAll(/\b[A-Za-z][A-Za-z0-9_]{2,63}\b/g)].map(([word]) => word);
      const death = deathOf({
        life: { exitCode: 1, log: logOf(log), config: { ...CONFIG, envNames: known } },
      });
      expect(diagnoseDeath(death).confidence, log).not.toBe('certain');
    }
  });
});
