import { describe, expect, it } from 'vitest';
import {
  compileRelabel,
  DEFAULT_RELABEL,
  type RelabelConfig,
} from '../../../src/collector/scrape/relabel.ts';

const SHOP = { job: 'shop', zone: 'eu-west-1', tier: 'shop' };

function relabelled(config: Partial<RelabelConfig>, labels: Record<string, string> = SHOP) {
  const changed = new Map(Object.entries(labels));
  return compileRelabel({ ...DEFAULT_RELABEL, ...config })(changed) ? Object.fromEntries(changed) : 'dropped';
}

describe('relabelling', () => {
  it.each<[string, Partial<RelabelConfig>, Record<string, string> | 'dropped']>([
    ['copies', { sourceLabels: ['zone'], targetLabel: 'region' }, { ...SHOP, region: 'eu-west-1' }],
    [
      'joins',
      { sourceLabels: ['job', 'none', 'tier'], separator: '/', targetLabel: 'a' },
      { ...SHOP, a: 'shop//shop' },
    ],
    [
      'takes groups by number and name',
      {
        sourceLabels: ['zone'],
        regex: '(?P<land>..)-(.*)-(\\d)',
        targetLabel: 'a',
        replacement: `$2.\${land}.$3x.\${3}x.$$.$`,
      },
      { ...SHOP, a: 'west.eu..1x.$.$' },
    ],
    [
      'changes nothing where the whole does not match',
      { sourceLabels: ['zone'], regex: 'west', targetLabel: 'a' },
      SHOP,
    ],
    [
      'removes by an empty replacement',
      { targetLabel: 'zone', replacement: '' },
      { job: 'shop', tier: 'shop' },
    ],
    [
      'names the target by what it found',
      { sourceLabels: ['zone'], regex: '(..)-.*', targetLabel: 'in_$1', replacement: 'yes' },
      { ...SHOP, in_eu: 'yes' },
    ],
    ['keeps', { action: 'keep', sourceLabels: ['zone'], regex: 'eu-.*' }, SHOP],
    ['keeps none other', { action: 'keep', sourceLabels: ['zone'], regex: 'eu' }, 'dropped'],
    ['drops', { action: 'drop', sourceLabels: ['zone'], regex: 'eu-.*' }, 'dropped'],
    ['keeps equals', { action: 'keepequal', sourceLabels: ['job'], targetLabel: 'tier' }, SHOP],
    ['keeps only equals', { action: 'keepequal', sourceLabels: ['job'], targetLabel: 'zone' }, 'dropped'],
    ['drops equals', { action: 'dropequal', sourceLabels: ['job'], targetLabel: 'tier' }, 'dropped'],
    [
      'maps names',
      { action: 'labelmap', regex: '(z)(.*)', replacement: `\${2}_$1` },
      { ...SHOP, one_z: 'eu-west-1' },
    ],
    ['drops labels', { action: 'labeldrop', regex: 't.*|zone' }, { job: 'shop' }],
    ['keeps labels', { action: 'labelkeep', regex: 't.*' }, { tier: 'shop' }],
    [
      'changes case',
      { action: 'uppercase', sourceLabels: ['zone'], targetLabel: 'zone' },
      { ...SHOP, zone: 'EU-WEST-1' },
    ],
  ])('%s', (_what, config, labels) => {
    expect(relabelled(config)).toEqual(labels);
  });

  it('matches across newlines, as Prometheus 3 does', () => {
    expect(relabelled({ action: 'keep', sourceLabels: ['a'], regex: 'x.y' }, { a: 'x\ny' })).toEqual({
      a: 'x\ny',
    });
  });

  it.each([
    [{ targetLabel: '' }, 'the action replace needs a target_label'],
    [{ action: 'hashmod', targetLabel: 'a' }, 'needs a modulus above 0'],
    [{ action: 'keep', regex: '(' }, 'RE2 syntax is expected'],
    [{ action: 'keep', regex: '(?=a)' }, 'RE2 syntax is expected'],
  ] as const)('refuses %o', (config, message) => {
    expect(() => relabelled(config as Partial<RelabelConfig>)).toThrow(message);
  });
});
