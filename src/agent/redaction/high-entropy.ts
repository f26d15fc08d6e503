import { REDACTED } from './secret-shape.ts';

// Not secrets, though they look random: what such values are usually called.
const PUBLIC_NAME =
  /(?:^|[^a-z])(?:id|uid|guid|uuid|sha|sha1|sha256|sha512|digest|commit|hash|checksum|etag|trace|span|revision|rev|build|version|md5|integrity|fingerprint|image|traceparent|path)$/i;
const CANDIDATE = /(?<![\w.-])([\w.-]{1,64})(=["']?)([\w+/-]{32,4096}={0,2})(?![\w+/=-])/g;

/** `name=<long random text>`: hexadecimal of 32 digits and more, or mixed base64 whose letters are spread evenly. */
export function redactHighEntropy(line: string): string {
  return line.replace(CANDIDATE, (whole, name: string, equals: string, value: string) =>
    PUBLIC_NAME.test(splitCamel(name)) || !isRandom(value) ? whole : `${name}${equals}${REDACTED}`,
  );
}

/** A line that is nothing but 48 and more characters of base64: the inside of a key whose beginning was cut off. */
export function isKeyMaterial(line: string): boolean {
  const text = line.trim();
  return text.length >= 48 && text.length <= 4096 && /^[A-Za-z0-9+/]+={0,2}$/.test(text) && isRandom(text);
}

/** A value in hexadecimal under a name that says it identifies something: a uid, a digest. */
export function isIdentifier(name: string, value: string): boolean {
  return /^[0-9a-f-]{1,128}$/i.test(value) && PUBLIC_NAME.test(splitCamel(name));
}

const splitCamel = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2');

function isRandom(value: string): boolean {
  if (/^[0-9a-f-]+$/i.test(value)) {
    return !isUuid(value) && /\d/.test(value) && /[a-f]/i.test(value) && entropy(value) >= 3;
  }
  const mixed = /[A-Z]/.test(value) && /[a-z]/.test(value) && /\d/.test(value);
  return mixed && value.split('/').length <= 1 + value.length / 20 && entropy(value) >= 4.2;
}

const isUuid = (value: string) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value);

/** Shannon entropy in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
