import { createHash } from 'node:crypto';

// No vowels and no digits that look like letters, so that no name says something. Source: k8s.io/apimachinery, rand.go
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const LONGEST_NAME = 63;

/** JSON with the keys of every object in order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, nested: unknown) =>
    nested !== null && typeof nested === 'object' && !Array.isArray(nested)
      ? Object.fromEntries(Object.entries(nested).sort(([a], [b]) => (a < b ? -1 : 1)))
      : nested,
  );
}

/** The ReplicaSet's part of a pod's name: the same for the same template. Source: ComputeHash, SafeEncodeString */
export function templateHash(template: unknown): string {
  const hash = createHash('sha256').update(canonicalJson(template)).digest().readUInt32BE(0);
  return [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('');
}

/** `web-7c9d8b6f5-x2k4q`; a base that is too long is cut. Source: k8s.io/apiserver/pkg/storage/names/generate.go */
export function podName(replicaSet: string, random: () => number): string {
  const suffix = Array.from({ length: 5 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join('');
  return `${replicaSet.slice(0, LONGEST_NAME - 6)}-${suffix}`;
}

/** A version 4 UUID from `random`. */
export function randomUid(random: () => number): string {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  return uuid(bytes, 4);
}

/** The same UUID for the same text: for objects we speak of but do not keep. */
export const derivedUid = (text: string) =>
  uuid(createHash('sha256').update(text).digest().subarray(0, 16), 8);

function uuid(bytes: Uint8Array, version: number): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
