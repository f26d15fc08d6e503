import { constants } from 'node:os';
import type { Container } from './answers.ts';

/** By which a container wants to be asked to end: its image's STOPSIGNAL, else SIGTERM. */
export function stopSignalOf({ Config }: Container): string {
  const wanted = Config.StopSignal;
  if (typeof wanted === 'number') return nameOf(wanted) ?? 'SIGTERM';
  if (!wanted) return 'SIGTERM';
  if (/^\d+$/.test(wanted)) return nameOf(Number(wanted)) ?? 'SIGTERM';
  return wanted.startsWith('SIG') ? wanted : `SIG${wanted}`;
}

const nameOf = (signal: number) =>
  Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];

/** Whether this host's kernel has a signal of that name; real-time signals are Podman's to translate. */
export const isKnown = (signal: string): signal is NodeJS.Signals => Object.hasOwn(constants.signals, signal);
