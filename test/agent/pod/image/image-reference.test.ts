// Source: the grammar and the tests of github.com/distribution/reference, and `podman pull`.
import { describe, expect, it } from 'vitest';
import { imageNameProblem, parseImageReference } from '../../../../src/agent/pod/image/image-reference.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

describe('the name of an image', () => {
  it.each([
    ['busybox', { repository: 'busybox', tag: 'latest' }],
    ['shop/cart:11', { repository: 'shop/cart', tag: '11' }],
    ['docker.io/library/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['localhost:5000/cart:11', { registry: 'localhost:5000', repository: 'cart', tag: '11' }],
    ['localhost/bb:1', { registry: 'localhost', repository: 'bb', tag: '1' }],
    ['[2001:db8::1]:5000/cart', { registry: '[2001:db8::1]:5000', repository: 'cart', tag: 'latest' }],
    [`shop/cart@${DIGEST}`, { repository: 'shop/cart', digest: DIGEST }],
    [`shop/cart:11@${DIGEST}`, { repository: 'shop/cart', tag: '11', digest: DIGEST }],
    ['a__b/c.d-e', { repository: 'a__b/c.d-e', tag: 'latest' }],
  ])('%s is taken apart', (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts);
    expect(imageNameProblem(text)).toBeUndefined();
  });

  it.each([
    '',
    'cart:',
    ':11',
    'cart@',
    'cart@sha256:11',
    'cart@@',
    'cart 11',
    '/cart',
    'shop//cart',
    '-cart',
    'cart-',
    `cart:${'1'.repeat(129)}`,
    'a'.repeat(300),
    'registry.example:port/cart',
    'cart:1:2',
    'cart\n',
  ])('%j is none', (text) => {
    expect(parseImageReference(text)).toBeUndefined();
    expect(imageNameProblem(text)).toBe('invalid reference format');
  });

  it('says that capitals are the trouble', () => {
    expect(imageNameProblem('Cart')).toBe('invalid reference format: repository name must be lowercase');
    expect(imageNameProblem('registry.example/Shop/cart')).toContain('must be lowercase');
  });
});
