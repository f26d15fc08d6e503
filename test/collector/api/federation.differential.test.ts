import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLabels } from '../../../src/model/labels.ts';
import { type BesidePrometheus, startBesidePrometheus } from '../../support/beside-prometheus.ts';
import { missing } from '../../support/parts.ts';

/** A minute ago, so that both have it within their lookback. */
const T = Math.floor(Date.now() / 1000) * 1000 - 60_000;

const SERIES = [
  { __name__: 'up', job: 'a', instance: 'b' },
  { __name__: 'up', job: 'c' },
  { __name__: 'utf8.name', 'k8s.pod': 'é"x\\\n', job: 'a' },
  { __name__: '1a', job: 'a', 'x:y_z': '1', '1 b': '2' },
  { __name__: 'a b_c', 'x y': '1' },
  { __name__: 'µs:x_y😀', job: '__' },
].map((labels, i) => ({ labels: toLabels(labels), samples: [{ t: T, v: i + 0.5 }] }));

const ACCEPTS = [
  undefined,
  'text/plain',
  'text/html',
  '*/*',
  ...['allow-utf-8', 'underscores', 'dots', 'values', 'nonsense'].flatMap((escaping) => [
    `text/plain;escaping=${escaping}`,
    `text/plain;version=1.0.0;escaping=${escaping}`,
    `application/openmetrics-text; version=1.0.0; escaping=${escaping}; q=0.5, text/plain;version=0.0.4;q=0.2`,
    `text/plain;version=0.0.4;q=0.9,text/plain;version=1.0.0;escaping=${escaping};q=0.2`,
  ]),
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
];

const SELECTORS = [
  '{"utf8.name"}',
  '{"utf8.name", "k8s.pod"=~".+"}',
  '{__name__="1a"}',
  '{"a b_c","x y"="1"}',
  'utf8.name',
  '{job=~".*",__name__!~"podvitals.*|no"}',
  'up{job=""}',
  '{job=""',
  '{"up","utf8.name"}',
];

describe.skipIf(missing('prometheus', 'promtool'))('what is federated is what Prometheus federates', () => {
  let both: BesidePrometheus | undefined;

  beforeAll(async () => {
    both = await startBesidePrometheus(SERIES, 'groups: []\n');
  });
  afterAll(async () => both?.stop());

  const compare = async (match: string, accept: string | undefined) => {
    const { ours, theirs } = await both!.ask({
      method: 'GET',
      path: '/federate',
      parameters: [['match[]', match]],
      ...(accept !== undefined && { accept }),
    });
    expect(ours).toEqual(theirs);
    return ours;
  };

  for (const accept of ACCEPTS) {
    it(`to who accepts ${accept}`, async () => {
      const { status, body } = await compare('{__name__!~"podvitals.*"}', accept);
      expect(status).toBe(200);
      expect(body.trimEnd().split('\n')).toHaveLength(SERIES.length + 5);
    });
  }

  for (const match of SELECTORS) {
    it(`by ${match}`, () => compare(match, 'text/plain;version=1.0.0;escaping=allow-utf-8'));
  }
});
