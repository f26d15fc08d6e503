import { describe, expect, it } from 'vitest';
import type { Death } from '../../../src/agent/triage/death.ts';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { CAUSES } from '../../../src/model/cause.ts';
import type { ProbeResult } from '../../../src/model/life.ts';
import { CONFIG, START } from '../events/story.ts';
import { deathOf } from './death-story.ts';
import { CONFUSABLE, LOG_CORPUS } from './log-corpus.ts';

const MIB = 2 ** 20;
const killed = { exitCode: 137, signal: 9 } as const;
const request = (by: 'probe' | 'user' | 'deadline' | 'hook' | 'eviction' | 'rollout', message: string) => ({
  ...killed,
  finishedAt: START + 20_000,
  killRequest: { by, message, at: START + 19_000 },
});
const byProbe = (kind: 'liveness' | 'startup' = 'liveness') =>
  request('probe', `Container cart failed ${kind} probe, will be restarted`);
const probe = (at: number, more: Partial<ProbeResult> = {}): ProbeResult => ({
  at: START + at,
  probe: 'liveness',
  ok: false,
  target: 'GET http://10.137.0.2:8080/healthz',
  message: 'Get "http://10.137.0.2:8080/healthz": context deadline exceeded',
  latencyMs: 1000,
  ...more,
});
const well = { ok: true, message: '', latencyMs: 12 } as const;
const status = (code: number) => ({ message: `HTTP probe failed with statuscode: ${code}`, latencyMs: 3 });
const spec = { name: 'cart', livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } };
const listening = [{ address: '0.0.0.0', port: 8080 }];
const sender = {
  at: START + 990,
  signal: 9,
  pid: 812,
  command: 'kill',
  target: { pid: 11, command: 'node', mainProcess: true },
} as const;
const busy = (frame: object) =>
  Array.from({ length: 20 }, (_, i) => ({ at: START + i * 1000, cpuCores: 0.05, ...frame }));

/** A death of each kind that only its record tells; what logs tell is in the corpus of logs. */
const STORIES: readonly Death[] = [
  deathOf({ life: killed, oomKillsCounted: 1 }),
  deathOf({
    oomKillsCounted: 1,
    life: { oomKills: [{ at: START + 900, pid: 41, command: 'tail', rssBytes: MIB, mainProcess: false }] },
  }),
  deathOf({ life: { exitCode: 0 } }),
  deathOf({ life: { exitCode: 139, signal: 11 } }),
  deathOf({ life: { exitCode: 132, signal: 4, log: [{ at: START, stream: 'stderr', text: 'codec' }] } }),
  deathOf({ life: { exitCode: 134, signal: 6 } }),
  deathOf({ life: { exitCode: 159, signal: 31 } }),
  deathOf({ life: killed }),
  deathOf({ life: { ...killed, sender: { ...sender, place: 'pod', container: 'janitor' } } }),
  deathOf({ life: { ...killed, sender: { ...sender, place: 'node', user: 'ada' } } }),
  deathOf({ life: request('user', 'Deleted by podvitals delete') }),
  deathOf({ life: request('deadline', 'Pod was active longer than specified') }),
  deathOf({ life: request('hook', 'PostStartHook failed') }),
  deathOf({ life: request('eviction', 'The node was low on resource: memory. Threshold 100Mi') }),
  deathOf({ life: request('eviction', 'The node was low on resource: ephemeral-storage.') }),
  deathOf({ life: request('eviction', 'The node was low on resource: pids.') }),
  deathOf({
    spec,
    life: { ...byProbe(), listening, probes: [probe(5000, status(404)), probe(9000, status(404))] },
  }),
  deathOf({
    spec: { name: 'cart', startupProbe: { httpGet: { path: '/started', port: 8080 } } },
    life: { ...byProbe('startup'), listening, probes: [probe(5000, { probe: 'startup', ...status(404) })] },
  }),
  deathOf({
    spec,
    life: {
      ...byProbe(),
      probes: [probe(5000), probe(5900, { ...well, latencyMs: 1900, late: true }), probe(15_000)],
    },
  }),
  deathOf({ spec, life: { ...byProbe(), probes: [probe(2000, well), probe(12_000), probe(18_000)] } }),
  deathOf({ spec, life: { ...byProbe(), probes: [probe(5000, status(503)), probe(9000, status(503))] } }),
  deathOf({
    spec,
    life: {
      ...byProbe(),
      config: { ...CONFIG, cpuLimitCores: 0.05 },
      probes: [probe(2000, { ...well, latencyMs: 700 }), probe(12_000), probe(18_000)],
      vitals: busy({ throttledRatio: 0.9 }),
    },
  }),
  deathOf({
    spec,
    life: {
      ...byProbe(),
      probes: [probe(2000, well), probe(12_000), probe(18_000)],
      vitals: busy({ cpuStallRatio: 0.9 }),
    },
  }),
  deathOf({ log: 'Error: PAYMENT_URL is not set' }),
  deathOf({ log: 'Error: listen EADDRINUSE: address already in use :::8080', life: { listening } }),
  deathOf({
    log: "Error: EROFS: read-only file system, open '/data/wal'",
    spec: { name: 'cart', volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }] },
  }),
  deathOf({
    log: 'Error: EMFILE: too many open files',
    life: { vitals: [{ at: START + 500, openDescriptors: 1019, descriptorLimit: 1024, processes: 1 }] },
  }),
  deathOf({
    log: 'sh: 0: Cannot fork',
    life: { config: { ...CONFIG, pidsLimit: 20 }, vitals: [{ at: START + 500, processes: 20 }] },
  }),
  deathOf({ log: 'Error: connect ECONNREFUSED 10.88.0.7:5432', life: { failedConnects: 3 } }),
  deathOf({ log: 'Error: connect ETIMEDOUT 10.88.0.7:5432', life: { retransmitTimeouts: 3 } }),
  deathOf({ log: 'Error: certificate is not yet valid', life: { clockOffsetSeconds: -90 } }),
  deathOf({ log: 'Error: certificate has expired', life: { clockOffsetSeconds: 8_000_000 } }),
  deathOf({ log: 'Error: certificate has expired' }),
  deathOf({ log: 'TokenExpiredError: jwt expired' }),
  deathOf({
    log: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    life: { exitCode: 134 },
  }),
  deathOf({ log: 'sh: 1: shop-server: not found', life: { exitCode: 127 } }),
  deathOf({ log: 'sh: 1: /app/server: Permission denied', life: { exitCode: 126 } }),
  deathOf({ log: 'sh: 1: /app/server: Exec format error', life: { exitCode: 126 } }),
  deathOf({
    log: 'cat: /etc/shop.key: Permission denied',
    life: { denial: { by: 'AppArmor', what: 'open /etc/shop.key' } },
  }),
];
const ALL: readonly Death[] = [
  ...STORIES,
  ...[...LOG_CORPUS, ...CONFUSABLE].map(({ log, exitCode = 1 }) => deathOf({ log, life: { exitCode } })),
];

/** What no death can show: a pod as it stands does. */
const OF_PODS: readonly string[] =
  `StartError InitContainerFailing SidecarFailing MemoryLeak LimitTooLow ImageNotFound
  ImageAuthFailed RegistryUnreachable RegistryRateLimited ReadinessProbeWrong ReadinessProbeFailing VolumeMountFailed
  Unschedulable DependencyFlapping StuckTerminating`.split(/\s+/);

/** Each fact of a death that may be missing, and the death without it; known by the shape of the record alone. */
function withoutEach(death: Death): readonly (readonly [fact: string, without: Death])[] {
  const { life } = death;
  const dropped = <T extends object>(from: T, key: keyof T): T => {
    const { [key]: _, ...rest } = from;
    return rest as T;
  };
  const ofDeath = (['oomKillsCounted', 'spec', 'well', 'user'] as const)
    .filter((key) => death[key] !== undefined)
    .map((key) => [key, dropped(death, key)] as const);
  const ofLife = Object.keys(life).flatMap((key) => {
    const name = key as keyof typeof life;
    const value = life[name];
    if (Array.isArray(value))
      return [
        [`all of ${key}`, { ...death, life: { ...life, [name]: [] } }] as const,
        ...value.map(
          (_, index) =>
            [`${key} ${index}`, { ...death, life: { ...life, [name]: value.toSpliced(index, 1) } }] as const,
        ),
      ];
    if (name === 'killRequest' || name === 'exitCode' || typeof value !== 'object') return [];
    return name === 'pod' || name === 'config'
      ? []
      : [[key, { ...death, life: dropped(life, name) }] as const];
  });
  const numbers = (['failedConnects', 'retransmitTimeouts', 'clockOffsetSeconds'] as const)
    .filter((key) => life[key] !== undefined)
    .map((key) => [key, { ...death, life: dropped(life, key) }] as const);
  const { signal: _, ...unsignalled } = life;
  return [
    ...ofDeath,
    ...ofLife,
    ...numbers,
    ['how it ended', { ...death, life: { ...unsignalled, exitCode: 1, reason: 'Error' } }],
    ['who asked', { ...death, life: { ...life, killRequest: null } }],
    // That a setting is absent is a fact, too.
    [
      'which settings it had',
      { ...death, life: { ...life, config: { ...life.config, envNames: ['PAYMENT_URL'] } } },
    ],
  ];
}

/** Every time there is in a record. */
function timesOf(value: unknown, found = new Set<number>()): ReadonlySet<number> {
  if (typeof value === 'number') found.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) timesOf(one, found);
  return found;
}

describe('of every cause there is', () => {
  it('some death or some pod shows it, by name and failure mode', () => {
    const shown = new Set(ALL.map((death) => diagnoseDeath(death).cause));
    const missing = Object.keys(CAUSES).filter((cause) => !shown.has(cause) && !OF_PODS.includes(cause));
    expect(missing).toEqual([]);
    for (const death of ALL) {
      const { cause, failureMode } = diagnoseDeath(death);
      expect(cause === 'None' || cause === 'Unknown' || cause in CAUSES, cause).toBe(true);
      if (cause in CAUSES) expect(failureMode, cause).toBe(CAUSES[cause]!.failureMode);
    }
  });

  it('a verdict cites only times, lives and series that are on record', () => {
    for (const death of ALL) {
      const times = timesOf(death);
      const { life, earlier } = death;
      const own = `namespace="${life.pod.namespace}",pod="${life.pod.name}"`;
      const sources = [life.id, ...earlier.map(({ id }) => id)];
      for (const { fact, source, at } of diagnoseDeath(death).evidence) {
        expect(times.has(Date.parse(at)), `${fact} at ${at}`).toBe(true);
        const isSeries = source.includes(own) || source.includes(`node="${life.pod.node}"`);
        expect(sources.includes(source) || isSeries, source).toBe(true);
      }
    }
  });

  it('a verdict that is certain has a fact without which it is certain no more', () => {
    const certain = ALL.filter((death) => diagnoseDeath(death).confidence === 'certain');
    expect(certain.length).toBeGreaterThan(20);
    for (const death of certain) {
      const { cause, summary } = diagnoseDeath(death);
      const decisive = withoutEach(death).filter(([, without]) => {
        const after = diagnoseDeath(without);
        return after.cause !== cause || after.confidence !== 'certain';
      });
      expect(
        decisive.map(([fact]) => fact),
        summary,
      ).not.toEqual([]);
    }
  });

  it('a verdict does not depend on the order in which facts arrived', () => {
    for (const death of ALL) {
      const { life, earlier } = death;
      const arrived = {
        ...death,
        earlier: earlier.toReversed(),
        life: {
          ...life,
          probes: life.probes.toReversed(),
          oomKills: life.oomKills.toReversed(),
          vitals: life.vitals.toReversed(),
          listening: life.listening.toReversed(),
        },
      };
      expect(diagnoseDeath(arrived), life.log.map(({ text }) => text).join('\n')).toEqual(
        diagnoseDeath(death),
      );
    }
  });

  it('no verdict becomes certain by what its log says alone', () => {
    for (const death of ALL) {
      const { life } = death;
      const bare = deathOf({
        life: { log: life.log, exitCode: 1, config: { ...CONFIG, envNames: ['PAYMENT_URL'] } },
      });
      const words = [
        ...life.log
          .map(({ text }) => text)
          .join(' ')
          .matchAll(/\b[A-Za-z]\w{2,63}\b/g),
      ].map(([word]) => word);
      const known = { ...bare, life: { ...bare.life, config: { ...CONFIG, envNames: words } } };
      expect(diagnoseDeath(known).confidence, diagnoseDeath(known).summary).not.toBe('certain');
    }
  });
});
