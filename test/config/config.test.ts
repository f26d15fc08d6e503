import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { nodeSettings } from '../../src/config/node-settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withFile(text: string, flags: Parameters<typeof loadConfig>[0] = {}) {
  const path = join(folder, 'podvitals.yaml');
  writeFileSync(path, text);
  return loadConfig({ config: path, ...flags }, {});
}

describe('loadConfig', () => {
  it('listens on loopback and keeps 15 days and 2 GiB when nobody says otherwise', () => {
    const config = loadConfig({}, {});
    expect(config.collector.listen).toEqual({ host: '127.0.0.1', port: 7638 });
    expect(config.agent.listen).toEqual({ host: '127.0.0.1', port: 7639 });
    const days15 = 15 * 86_400_000;
    expect(config.collector.retention).toEqual({
      timeMs: days15,
      bytes: 2 * 2 ** 30,
      eventsMs: days15,
      livesMs: days15,
    });
    expect(config.collector.limits).toEqual({});
    expect(config.agent.backOff).toEqual({ baseMs: 10_000, capMs: 300_000 });
  });
  it('lets the file change what it names, and a flag win over the file', () => {
    const config = withFile('dataDir: /srv/a\ncollector:\n  retention: { time: 3d }\n', {
      dataDir: '/srv/b',
    });
    expect(config.dataDir).toBe('/srv/b');
    expect(config.collector.retention.timeMs).toBe(3 * 86_400_000);
  });
  it('keeps events and lives for times of their own, as long as samples when nothing is said of them', () => {
    const kept = (text: string) => withFile(`collector:\n  retention: ${text}\n`).collector.retention;
    expect(kept('{ time: 2d, events: 30d, lives: 90d }')).toMatchObject({
      timeMs: 2 * 86_400_000,
      eventsMs: 30 * 86_400_000,
      livesMs: 90 * 86_400_000,
    });
    expect(kept('{ time: 2d }')).toMatchObject({ eventsMs: 2 * 86_400_000, livesMs: 2 * 86_400_000 });
    expect(() => kept('{ lives: 3s }')).toThrow(/collector\.retention\.lives: "3s" is too short/);
  });
  it('raises the number of active series', () => {
    const limits = (text: string) => withFile(`collector:\n  limits: ${text}\n`).collector.limits;
    expect(limits('{ activeSeries: 500000 }')).toEqual({ activeSeries: 500_000 });
    expect(() => limits('{ activeSeries: 5 }')).toThrow(/activeSeries/);
  });
  it('reads rule files relative to the configuration', () => {
    expect(withFile('collector:\n  rules: [more.yaml]\n').collector.rules).toEqual([
      join(folder, 'more.yaml'),
    ]);
  });
  it('takes prices for the executive dashboard', () => {
    expect(loadConfig({}, {}).cost).toEqual({});
    expect(withFile('cost: { cpuCoreHour: 0.05 }\n').cost).toEqual({ cpuCoreHour: 0.05 });
  });
  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['a price that is none', 'cost: { cpuCoreHour: -1 }\n', /cost\.cpuCoreHour.*not negative/],
    ['an unknown field', 'colector: {}\n', /podvitals\.yaml.*colector/],
    [
      'a duration without a unit',
      'agent:\n  interval: "15"\n',
      /agent\.interval: "15" is not a duration; write it like 15s/,
    ],
    [
      'a size without a unit',
      'collector:\n  retention: { size: "2" }\n',
      /"2" is not a size; write it like 512MiB/,
    ],
    [
      'an address without a port',
      'collector:\n  listen: localhost\n',
      /collector\.listen: write it as host:port/,
    ],
    [
      'a token that is too short',
      'collector:\n  token: abc\n',
      /collector\.token: use at least 16 characters/,
    ],
    [
      'an unknown field further in, telling which there are',
      'agent:\n  listn: 127.0.0.1:1\n',
      /agent\.listn: there is no such field; there are listen, interval, runtime, backOff, labels, taints, reserved, maxPods, evictionHard, evictionSoft, evictionSoftGracePeriod, allowedUnsafeSysctls, evictionMaxPodGracePeriod$/,
    ],
    [
      'what never rests',
      'collector:\n  evaluationInterval: 0s\n',
      /collector\.evaluationInterval: "0s" is too short; the least is 1s/,
    ],
    [
      'a store without room',
      'collector:\n  retention: { size: 0B }\n',
      /retention\.size: "0B" is too little; the least is 16MiB/,
    ],
    ['an address of another scheme', 'externalUrl: ftp://a\n', /"ftp:\/\/a" is none; write it like https:/],
    ['what is not YAML', 'a: [\n', /podvitals\.yaml/],
  ];
  for (const [what, text, message] of bad) {
    it(`refuses ${what}, naming file, place and remedy`, () => expect(() => withFile(text)).toThrow(message));
  }
});

describe("the node's soft thresholds", () => {
  it('need a grace period each, and a threshold for each grace period', () => {
    const fields = { evictionSoft: { 'memory.available': '300Mi' } } as const;
    const at = (field: string) => field;
    expect(() => nodeSettings('node-11', fields, at)).toThrow(
      /agent\.evictionSoftGracePeriod\.memory\.available: a soft threshold needs a grace period, such as 1m30s/,
    );
    const grace = { evictionSoftGracePeriod: { 'memory.available': '1m30s' } } as const;
    expect(() => nodeSettings('node-11', grace, at)).toThrow(/set agent\.evictionSoft\.memory\.available/);
    expect(nodeSettings('node-11', { ...fields, ...grace, evictionMaxPodGracePeriod: 20 }, at)).toMatchObject(
      {
        softThresholds: { 'memory.available': { threshold: { amount: 300 * 2 ** 20 }, graceMs: 90_000 } },
        maxPodGraceMs: 20_000,
      },
    );
  });
});
