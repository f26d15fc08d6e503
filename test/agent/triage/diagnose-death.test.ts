import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { KillRequest, Life, OomKill, ProbeResult } from '../../../src/model/life.ts';
import { START } from '../events/story.ts';
import { type DeathStory, deathOf } from './death-story.ts';

const MIB = 2 ** 20;
const verdictOf = (story: DeathStory) => diagnoseDeath(deathOf(story));
const facts = (story: DeathStory) =>
  verdictOf(story)
    .evidence.map(({ fact }) => fact)
    .join('\n');
const killed = { exitCode: 137, signal: 9 } as const;
const mainVictim: OomKill = {
  at: START + 990,
  pid: 31,
  command: 'node',
  rssBytes: 127 * MIB,
  mainProcess: true,
};
const child: OomKill = {
  at: START + 900,
  pid: 47,
  command: 'convert',
  rssBytes: 90 * MIB,
  mainProcess: false,
};
const asked = (by: KillRequest['by'], message = ''): KillRequest => ({ by, message, at: START + 900 });
const probe = (more: Partial<ProbeResult> = {}): ProbeResult => ({
  at: START + 800,
  probe: 'liveness',
  ok: false,
  target: 'GET http://10.88.0.2:8080/healthz',
  message: 'Get "http://10.88.0.2:8080/healthz": connection refused',
  latencyMs: 2,
  ...more,
});

describe('a kill for memory', () => {
  it('is certain when the kernel counted it and SIGKILL ended the container', () => {
    const verdict = verdictOf({ life: killed, oomKillsCounted: 1 });
    expect(verdict).toMatchObject({ cause: 'OOMKilled', failureMode: 'F2', confidence: 'certain' });
    expect(verdict.summary).toContain('128 MiB');
  });

  it('names the victim, and tells a leak by its steady growth', () => {
    const vitals = Array.from({ length: 20 }, (_, second) => ({
      at: START + second * 1000,
      memoryWorkingSetBytes: (20 + second * 5) * MIB,
    }));
    const story = {
      life: { ...killed, vitals, finishedAt: START + 20_000, oomKills: [mainVictim] },
      oomKillsCounted: 1,
    };
    expect(facts(story)).toContain('process node (pid 31) holding 127 MiB');
    expect(verdictOf(story).summary).toContain('5 MiB a second');
  });

  it("of a child is not the container's: ChildOOMKilled", () => {
    const verdict = verdictOf({ life: { exitCode: 1, oomKills: [child] }, oomKillsCounted: 1 });
    expect(verdict).toMatchObject({ cause: 'ChildOOMKilled', failureMode: 'F2', confidence: 'certain' });
    expect(verdict.summary).toContain('convert');
  });

  it('of a child long before the end was survived', () => {
    const life = { exitCode: 1, oomKills: [child], finishedAt: START + 600_000 };
    expect(verdictOf({ life, oomKillsCounted: 1 }).cause).toBe('Unknown');
  });

  it('is refuted by the counter, whatever the reason says', () => {
    const verdict = verdictOf({ life: { ...killed, reason: 'OOMKilled' }, oomKillsCounted: 0 });
    expect(verdict.cause).toBe('TerminatedBySignal');
    expect(verdict.summary).toContain('no OOM kill');
  });

  it("is only likely by an engine's flag where the counter could not be read", () => {
    const { oomKillsCounted: _, ...death } = deathOf({ life: { ...killed, reason: 'OOMKilled' } });
    expect(diagnoseDeath(death)).toMatchObject({ cause: 'OOMKilled', confidence: 'likely' });
  });

  it('stays open where nothing could be read, and says what is missing', () => {
    const { oomKillsCounted: _, ...death } = deathOf({ life: killed });
    const verdict = diagnoseDeath(death);
    expect(verdict).toMatchObject({ cause: 'Unknown', confidence: 'unknown' });
    expect(verdict.summary).toContain('OOM counter');
  });

  it('is not what a log says that ran out of its own heap', () => {
    const log = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
    expect(verdictOf({ log, life: { exitCode: 134, signal: 6 } })).toMatchObject({
      cause: 'HeapExhausted',
      confidence: 'certain',
    });
  });
});

describe('a SIGKILL that is no OOM', () => {
  it("of a liveness probe is the probe's, with what it asked and what listens", () => {
    const story: DeathStory = {
      spec: { name: 'cart', livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } },
      life: {
        ...killed,
        killRequest: asked('probe', 'Container cart failed liveness probe, will be restarted'),
        probes: [probe()],
        listening: [{ address: '0.0.0.0', port: 8081 }],
      },
    };
    const verdict = verdictOf(story);
    expect(verdict).toMatchObject({ cause: 'LivenessProbeWrong', confidence: 'likely' });
    expect(verdict.summary).toContain('nothing listens on port 8080, the pod listens on port 8081');
    expect(facts(story)).toContain('did not move');
  });

  it('of a startup probe is a start too slow for it', () => {
    const life = {
      ...killed,
      killRequest: asked('probe', 'Container cart failed startup probe, will be restarted'),
      probes: [probe({ probe: 'startup', message: 'HTTP probe failed with statuscode: 503' })],
    };
    expect(verdictOf({ life })).toMatchObject({ cause: 'StartupTooSlowForProbe' });
  });

  it('after a grace period of a deletion is nothing wrong', () => {
    const verdict = verdictOf({ life: { ...killed, killRequest: asked('delete'), unrequested: false } });
    expect(verdict).toMatchObject({ cause: 'None', failureMode: null });
    expect(verdict.summary).toContain('no OOM kill');
  });

  it.each([
    'Eviction API: evicting',
    'A NoExecute taint of the node is not tolerated, or no longer',
    'Pod shop/till of higher priority needs its place',
  ])('knows that who is asked to leave the node is ill of nothing: %s', (message) => {
    const life = { exitCode: 0, killRequest: asked('eviction', message), unrequested: false };
    expect(verdictOf({ life })).toMatchObject({
      cause: 'None',
      summary: `Container cart ended because its pod was asked to leave the node (${message}).`,
    });
  });

  it('of a drain that ended with 143 is not OOMKilled even with a counter that rose before', () => {
    const life = { exitCode: 143, signal: 15, killRequest: asked('shutdown'), unrequested: false };
    expect(verdictOf({ life, oomKillsCounted: 1 }).cause).toBe('None');
  });

  it('by somebody unknown says that nobody it knows asked', () => {
    expect(verdictOf({ life: killed })).toMatchObject({ cause: 'TerminatedBySignal', confidence: 'likely' });
  });
});

describe('an exit', () => {
  it('with 0 under restartPolicy Always is an end too early', () => {
    expect(verdictOf({ life: { exitCode: 0, reason: 'Completed' } }).cause).toBe('ExitedZero');
  });

  it('with 0 of an init container, or under OnFailure, is work done', () => {
    expect(verdictOf({ life: { exitCode: 0, init: true } }).cause).toBe('None');
    expect(verdictOf({ life: { exitCode: 0 }, restartPolicy: 'OnFailure' }).cause).toBe('None');
  });

  it('by SIGSEGV is a segmentation fault, whatever was logged', () => {
    const verdict = verdictOf({ life: { exitCode: 139, signal: 11 }, log: 'TypeError: x is not a function' });
    expect(verdict).toMatchObject({ cause: 'SegmentationFault', confidence: 'certain' });
  });

  it('with 127 and 126 is a command that is not there or cannot be run', () => {
    expect(verdictOf({ life: { exitCode: 127 } })).toMatchObject({
      cause: 'CommandNotFound',
      confidence: 'likely',
    });
    expect(verdictOf({ life: { exitCode: 126 } })).toMatchObject({
      cause: 'PermissionDenied',
      confidence: 'likely',
    });
  });

  it('with 1 and no word is unknown, and says what is missing', () => {
    const verdict = verdictOf({});
    expect(verdict).toMatchObject({ cause: 'Unknown', confidence: 'unknown' });
    expect(verdict.summary).toContain('logs nothing');
  });
});

describe('a missing variable', () => {
  const log = 'Error: missing required environment variable PAYMENT_URL';

  it('is certain when the container was started without it', () => {
    expect(verdictOf({ log })).toMatchObject({
      cause: 'MissingConfig',
      failureMode: 'F1',
      confidence: 'certain',
    });
  });

  it('is only likely when the container has a variable of that name', () => {
    const { config } = deathOf().life;
    const verdict = verdictOf({ log, life: { config: { ...config, envNames: ['PAYMENT_URL'] } } });
    expect(verdict).toMatchObject({ cause: 'MissingConfig', confidence: 'likely' });
    expect(verdict.summary).toContain('missing or empty');
  });

  it('is told with what changed since the last life that was well', () => {
    const { config } = deathOf().life;
    const well: Life = {
      ...deathOf().life,
      id: 'life-10',
      startedAt: START - 3_600_000,
      finishedAt: START - 1000,
      config: { ...config, envNames: ['CURRENCY', 'PAYMENT_URL'] },
      verdict: {
        cause: 'None',
        failureMode: null,
        confidence: 'certain',
        summary: '',
        evidence: [],
        next: [],
      },
    };
    expect(facts({ log, earlier: [well] })).toContain('variables removed: PAYMENT_URL');
  });
});

describe('every verdict', () => {
  const death = fc.record({
    exitCode: fc.constantFrom(0, 1, 2, 126, 127, 134, 137, 139, 143, 255),
    counted: fc.option(fc.nat(2), { nil: undefined }),
    by: fc.option(fc.constantFrom<KillRequest['by']>('probe', 'delete', 'user', 'eviction'), { nil: null }),
    victims: fc.subarray([mainVictim, child]),
    log: fc.oneof(
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.constantFrom('FATAL: LEDGER_URL is not set', 'panic: no'),
    ),
    name: fc.string({ minLength: 1, maxLength: 30 }),
  });
  const toDeath = ({
    exitCode,
    counted,
    by,
    victims,
    log,
    name,
  }: typeof death extends fc.Arbitrary<infer T> ? T : never) => {
    const { oomKillsCounted: _, ...rest } = deathOf({ log });
    const life = { ...rest.life, exitCode, killRequest: by === null ? null : asked(by), oomKills: victims };
    return {
      ...rest,
      life: { ...life, pod: { ...life.pod, name }, container: name },
      ...(counted === undefined ? {} : { oomKillsCounted: counted }),
    };
  };

  it('cites facts of this life or of series, with times', () => {
    fc.assert(
      fc.property(death, (drawn) => {
        const verdict = diagnoseDeath(toDeath(drawn));
        expect(verdict.evidence.length).toBeGreaterThan(0);
        for (const { source, at } of verdict.evidence) {
          expect(source === 'life-11' || /^[a-z_]+\{namespace=/.test(source)).toBe(true);
          expect(Number.isNaN(Date.parse(at))).toBe(false);
        }
      }),
    );
  });

  it('is the same for the same facts, on one line', () => {
    fc.assert(
      fc.property(death, (drawn) => {
        const verdict = diagnoseDeath(toDeath(drawn));
        expect(diagnoseDeath(toDeath(drawn))).toEqual(verdict);
        for (const { command } of verdict.next) expect(command).not.toMatch(/[\u0000-\u001f]/);
      }),
    );
  });
});
