import type { Random } from '../random.ts';

/** Pieces that parsers stumble over: ends, escapes, extremes, names of `Object.prototype`, characters without a rest. */
const PIECES = (
  '{ } ( ) [ ] , : ; = == != =~ !~ " \' ` \\ \\n \\x \\u00 # - _ + * & | > ! % @ $ ~ ^ . / 0 -0 1e309 -1e309 NaN Inf ' +
  '9007199254740993 18446744073709551616 0x 1_0 5m 100y stale {{ }} {{- -}} --- ... <<: *a &a !!binary __proto__ ' +
  'constructor toString null true ~ \u0000 \ud800 \udc00 \u2028 é ∑ 😀'
)
  .split(' ')
  .concat([
    '\n',
    '\r\n',
    '\t',
    ' ',
    '\n  ',
    '\n- ',
    'a'.repeat(300),
    '('.repeat(200),
    '{'.repeat(200),
    '[[['.repeat(60),
  ]);

/** A real example with pieces cut out, doubled, moved, swapped for others or for those of another example. */
export function mutateText(random: Random, examples: readonly string[]): string {
  let text = random.pick(examples);
  for (let i = random.integer(0, 4); i > 0; i -= 1) {
    const at = random.integer(0, text.length);
    const to = Math.min(text.length, at + random.integer(0, random.pick([1, 4, 40])));
    const piece = random.pick([
      () => '',
      () => random.pick(PIECES),
      () => text.slice(at, to).repeat(random.integer(2, 4)),
      () => slice(random, random.pick(examples)),
      () => String.fromCharCode(random.integer(0, random.pick([0x7f, 0xffff]))),
    ])();
    text = text.slice(0, at) + piece + text.slice(to);
  }
  return text;
}

function slice(random: Random, text: string): string {
  const at = random.integer(0, text.length);
  return text.slice(at, at + random.integer(0, 60));
}

/** Bytes of a real example with bits, lengths and ends changed. */
export function mutateBytes(random: Random, examples: readonly Uint8Array[]): Uint8Array {
  let bytes = [...random.pick(examples)];
  for (let i = random.integer(0, 6); i > 0; i -= 1) {
    const at = random.integer(0, bytes.length);
    const piece = random.pick([
      () => [],
      () => [random.integer(0, 255)],
      () => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      () => [0xff, 0xff, 0xff, 0xff, 0x0f],
      () => bytes.slice(at, at + random.integer(0, 40)),
      () => Array.from({ length: random.integer(0, 20) }, () => random.integer(0, 255)),
    ])();
    bytes.splice(at, random.integer(0, 8), ...piece);
    if (random.chance(0.1)) bytes = bytes.slice(0, random.integer(0, bytes.length));
  }
  return Uint8Array.from(bytes);
}
