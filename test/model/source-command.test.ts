import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/model/explanation.ts';
import { forSource, type PodSource, SOURCE_ANNOTATION, stepFor } from '../../src/model/source-command.ts';
import type { Verdict } from '../../src/model/verdict.ts';

const LOGS = 'podvitals logs --previous --container cart shop/cart-1';
const DESCRIBE = 'podvitals describe shop/cart-1';
const EVENTS = 'podvitals events --for shop/cart-1';
const command = (typed: string, source: PodSource) =>
  stepFor({ command: typed, why: 'look' }, source).command;

describe('a step for a pod that others run', () => {
  it.each([
    ['podvitals', LOGS, LOGS],
    ['kubernetes', LOGS, 'kubectl logs --previous --container cart --namespace shop cart-1'],
    ['kubernetes', DESCRIBE, 'kubectl describe pod --namespace shop cart-1'],
    ['kubernetes', EVENTS, 'kubectl events --namespace shop --for pod/cart-1'],
    [
      'kubernetes',
      'podvitals get deployment -o yaml shop/cart',
      'kubectl get deployment -o yaml --namespace shop cart',
    ],
    ['podman', LOGS, 'podman logs cart-1-cart'],
    ['podman', 'podvitals logs --follow --container db local/db', 'podman logs --follow db'],
    ['podman', DESCRIBE, 'podman inspect cart-1'],
    [
      'cri',
      LOGS,
      'crictl logs "$(crictl ps --all --quiet --last 1 --state Exited --name cart --label io.kubernetes.pod.name=cart-1)"',
    ],
    ['cri', DESCRIBE, 'crictl inspectp "$(crictl pods --quiet --name cart-1)"'],
  ] as const)('%s: %s', (source, typed, wanted) => {
    expect(command(typed, source)).toBe(wanted);
    execFileSync('sh', ['-n', '-c', wanted]);
  });

  it('stays where the tool has no word for it, or the command is not of a shape we know', () => {
    for (const typed of [
      "podvitals query 'up == 0'",
      'podvitals why shop/cart-1',
      'podvitals apply -f FILE',
      'ss -ltn',
    ])
      expect(command(typed, 'kubernetes')).toBe(typed);
  });

  it('keeps hostile names in their quotes', () => {
    const typed = "podvitals logs --previous --container 'a;b' 'shop/$(reboot)'";
    expect(command(typed, 'kubernetes')).toBe(
      "kubectl logs --previous --container 'a;b' --namespace 'shop' '$(reboot)'",
    );
    expect(command(`podvitals describe "shop/x"; reboot`, 'podman')).toBe(
      `podvitals describe "shop/x"; reboot`,
    );
  });

  it('is chosen by what the pod says of itself', () => {
    const verdict = { cause: 'AppError', next: [{ command: DESCRIBE, why: 'look' }] } as unknown as Verdict;
    const of = (source: string) =>
      forSource(verdict, { metadata: { annotations: { [SOURCE_ANNOTATION]: source } } }).next[0]!.command;
    expect(of('podman')).toBe('podman inspect cart-1');
    expect(of('constructor')).toBe(DESCRIBE);
  });
});

describe('a verdict as a colleague tells it', () => {
  const at = (second: number) => `2026-03-01T10:00:${String(second).padStart(2, '0')}Z`;
  const verdict: Verdict = {
    cause: 'OOMKilled',
    failureMode: 'F2',
    confidence: 'certain',
    summary: 'It ran out of memory.',
    evidence: [
      ...Array.from({ length: 8 }, (_, i) => ({ fact: `fact ${i}`, source: 'life-11', at: at(20 - i) })),
      { fact: 'since the last life that was well (2 h) changed: memory limit', source: 'life-11', at: at(1) },
    ],
    next: [],
  };
  it('has at most six facts in the order they happened, what changed, and advice', () => {
    const told = explain(verdict);
    expect(told.facts.map(({ fact }) => fact)).toEqual([
      'fact 5',
      'fact 4',
      'fact 3',
      'fact 2',
      'fact 1',
      'fact 0',
    ]);
    expect(told.moreFacts).toBe(2);
    expect(told.changed).toHaveLength(1);
    expect(told.now).toMatch(/limit/);
    expect(told.forGood).toMatch(/working set/);
  });
  it('invents no advice for a cause it does not know', () => {
    expect(explain({ ...verdict, cause: 'Unknown' })).toMatchObject({ now: undefined, forGood: undefined });
  });
});
