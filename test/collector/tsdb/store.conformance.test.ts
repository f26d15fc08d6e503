import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { START, storeConformance } from '../../conformance/store.ts';

storeConformance('memory store', async () => {
  const store = createMemoryStore({ clock: createFakeClock(START) });
  return { store, dispose: () => store.close() };
});

storeConformance('durable store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-store-'));
  const store = createStore({ path: join(folder, 'collector.db'), clock: createFakeClock(START) });
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
