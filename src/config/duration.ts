import { CodedError } from '../util/coded-error.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** A Prometheus duration (`15s`, `1h30m`, `15d`) in milliseconds. @throws CONFIG_INVALID */
export function parseDuration(text: string, place: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new CodedError(
      'CONFIG_INVALID',
      `${place}: "${text}" is not a duration; write it like 15s, 1h30m or 15d`,
    );
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * UNITS[part[2]!]!, 0);
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

/** A size (`512MiB`, `2GiB`) in bytes. @throws CONFIG_INVALID */
export function parseSize(text: string, place: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)$/.exec(text);
  if (!match)
    throw new CodedError('CONFIG_INVALID', `${place}: "${text}" is not a size; write it like 512MiB or 2GiB`);
  return Math.floor(Number(match[1]) * SIZES[match[2]!]!);
}
