import { nameOfSignal } from '../../../host/signal-number.ts';
import type { Container } from './answers.ts';

/** By which a container wants to be asked to end: what it was made with, else its image's STOPSIGNAL, else SIGTERM. */
export function stopSignalOf({ Config }: Pick<Container, 'Config'>): string {
  const wanted = Config.StopSignal;
  if (typeof wanted === 'number') return nameOfSignal(wanted) ?? 'SIGTERM';
  if (!wanted) return 'SIGTERM';
  if (/^\d+$/.test(wanted)) return nameOfSignal(Number(wanted)) ?? 'SIGTERM';
  return wanted.startsWith('SIG') ? wanted : `SIG${wanted}`;
}
