import type { Journal } from '../../journal/journal.ts';
import type { Head } from './head.ts';
import type { StoreStats } from './limits.ts';

/** `outside`: samples refused before they came to the head. */
export function statsOf(head: Head, outside: number, journal: Journal): StoreStats {
  const { counts } = head;
  return {
    activeSeries: counts.active,
    samplesAppended: counts.appended,
    samplesRejected: counts.rejected + outside,
    samplesDuplicate: counts.duplicate,
    seriesRefused: counts.refused,
    seriesCreated: counts.created,
    seriesDropped: counts.dropped,
    storedBytes: journal.usedBytes(),
  };
}
