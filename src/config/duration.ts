import { CodedError } from '../util/coded-error.ts';
import { durationMs } from '../util/duration.ts';

/** A Prometheus duration (`15s`, `1h30m`, `15d`) of at least `leastMs`, in milliseconds. @throws CONFIG_INVALID */
export function parseDuration(text: string, place: string, leastMs: number): number {
  const ms = durationMs(text);
  if (ms === undefined) throw invalid(place, text, 'is not a duration; write it like 15s, 1h30m or 15d');
  if (ms < leastMs) throw invalid(place, text, `is too short; the least is ${leastMs / 1000}s`);
  return ms;
}

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** A size (`512MiB`, `2GiB`) of at least `leastBytes`, in bytes. @throws CONFIG_INVALID */
export function parseSize(text: string, place: string, leastBytes: number): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)$/.exec(text);
  if (!match) throw invalid(place, text, 'is not a size; write it like 512MiB or 2GiB');
  const bytes = Math.floor(Number(match[1]) * SIZES[match[2]!]!);
  if (bytes < leastBytes)
    throw invalid(place, text, `is too little; the least is ${leastBytes / 2 ** 20}MiB`);
  return bytes;
}

const invalid = (place: string, text: string, why: string) =>
  new CodedError('CONFIG_INVALID', `${place}: "${text}" ${why}`);
