import { describe, expect, it } from 'vitest';
import { formatRuleFile } from '../../../src/collector/rules/format-rule-file.ts';

const LONG =
  'sum by (namespace) (rate(container_cpu_usage_seconds_total{job="kubelet",container!=""}[5m])) / sum by (namespace) (kube_pod_container_resource_limits{resource="cpu"}) > 0.9';

describe('formatting a rule file', () => {
  it('changes expressions only: comments, order, quotes and blank lines stay to the letter', () => {
    const before = `# The shop's rules.
groups:

  - name: "shop"   # quoted
    rules:
    # Why this is here.
    - record: job:up:sum
      expr: sum  by(job)(up )  # the sum

      labels: {team: 'shop'}
    - {alert: Down, expr: up==0, for: 5m}
    - alert: Folded
      expr: >-
        up{job='a'}
          == 0

    - expr: 'up'
      record: fine
`;
    expect(formatRuleFile(before, 'r.yaml').text).toBe(`# The shop's rules.
groups:

  - name: "shop"   # quoted
    rules:
    # Why this is here.
    - record: job:up:sum
      expr: sum by (job) (up)  # the sum

      labels: {team: 'shop'}
    - {alert: Down, expr: 'up == 0', for: 5m}
    - alert: Folded
      expr: up{job="a"} == 0

    - expr: 'up'
      record: fine
`);
  });

  it('breaks a long expression into a block, as Prometheus does, and leaves it the next time', () => {
    const before = `groups:\n- name: g\n  rules:\n  - record: r\n    expr: ${LONG.replace(/"/g, "'")}\n    labels: { a: b }\n`;
    const { text } = formatRuleFile(before, 'r.yaml');
    expect(text).toBe(`groups:
- name: g
  rules:
  - record: r
    expr: |2
          sum by (namespace) (rate(container_cpu_usage_seconds_total{container!="",job="kubelet"}[5m]))
        /
          sum by (namespace) (kube_pod_container_resource_limits{resource="cpu"})
      >
        0.9
    labels: { a: b }
`);
    expect(formatRuleFile(text, 'r.yaml').text).toBe(text);
  });

  it('leaves an expression that holds a comment, and says so', () => {
    const before =
      'groups:\n- name: g\n  rules:\n  - record: r\n    expr: |\n      up # only those\n      ==0\n';
    expect(formatRuleFile(before, 'r.yaml')).toEqual({
      text: before,
      warnings: ['r.yaml:5: left as it was, for it holds a comment'],
    });
  });

  it('refuses a file Prometheus would not load', () => {
    expect(() => formatRuleFile('groups: [{name: g, rules: [{record: r, expr: up +}]}]', 'r.yaml')).toThrow(
      /could not parse expression/,
    );
  });
});
