import type { Labels } from '../../model/labels.ts';

const PRIME = 0x100000001b3n;
const OFFSET = 0xcbf29ce484222325n;
const encoder = new TextEncoder();

/**
 * Alertmanager's name for an alert: FNV-1a of 64 bits over its sorted labels, each name and value followed by 0xff, in
 * 16 hexadecimal digits. Source: prometheus/common/model/signature.go
 */
export function fingerprint(labels: Labels): string {
  let hash = OFFSET;
  const add = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  };
  for (const label of labels) {
    for (const text of label) {
      for (const byte of encoder.encode(text)) add(byte);
      add(0xff);
    }
  }
  return hash.toString(16).padStart(16, '0');
}
