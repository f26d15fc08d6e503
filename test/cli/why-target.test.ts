import { describe, expect, it } from 'vitest';
import { mistypedKind, whyTarget } from '../../src/cli/why-target.ts';

const target = (...words: readonly string[]) => whyTarget(words, { namespace: 'shop' });

describe('what why is asked about', () => {
  it('is a name, in a namespace of its own', () => {
    expect(target('cart')).toEqual({ namespace: 'shop', name: 'cart' });
    expect(target('stage/cart')).toEqual({ namespace: 'stage', name: 'cart' });
    expect(whyTarget(['cart'], {})).toEqual({ namespace: 'default', name: 'cart' });
  });

  it('is of a kind, before a slash or as a word, by any of its names', () => {
    for (const words of [
      ['deployment/cart'],
      ['deploy', 'cart'],
      ['deployments.apps/cart'],
      ['deploy/shop/cart'],
    ])
      expect(target(...words)).toEqual({ kind: 'deployment', namespace: 'shop', name: 'cart' });
    expect(target('sts/stage/db')).toEqual({ kind: 'statefulset', namespace: 'stage', name: 'db' });
    expect(target('po', 'cart')).toMatchObject({ kind: 'pod' });
    expect(target('cj/tidy')).toMatchObject({ kind: 'cronjob' });
    expect(target('rs/cart-7b9c6')).toMatchObject({ kind: 'replicaset' });
  });

  it('is of a kind that has pods: of another it is told what describes it, of none which there are', () => {
    expect(() => target('svc/cart')).toThrow(
      'why is about pods and what makes them (pod, deployment, replicaset, statefulset, daemonset, job, cronjob); of a service: podvitals describe service cart',
    );
    expect(() => target('node/host')).toThrow('podvitals describe node host');
    expect(() => target('pizza', 'cart')).toThrow('there is no resource "pizza" here; there are pods');
    expect(() => target('pizza/shop/cart')).toThrow('there is no resource "pizza"');
    expect(() => target('deploy', 'cart', 'till')).toThrow('name one pod or workload');
    expect(() => target('deploy/a/b/c')).toThrow('is not a name');
  });

  it('may be a mistyped kind where it seemed to be a namespace', () => {
    expect(mistypedKind(['deplyment/cart'])).toBe('deployment/cart');
    expect(mistypedKind(['shop/cart'])).toBeUndefined();
    expect(mistypedKind(['cart'])).toBeUndefined();
  });
});
