import { expect, it } from 'vitest';
import { parseQuantity } from '../../../src/agent/signals/quantity.ts';

it.each([
  ['100m', 0.1],
  ['2', 2],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['64Mi', 67_108_864],
  ['1.5Gi', 1_610_612_736],
  ['128k', 128_000],
  ['1e3', 1000],
  ['1E', 1e18],
  ['250u', 0.000_25],
])('the quantity %s is %d', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

it.each(['', 'm', '1x', '1 Gi', 'constructor', '--1'])('%j is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
