import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { decodeLabels } from '../../../src/model/labels.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { START, write } from '../../conformance/store.ts';

const COMMITS = 40;
let folder: string;
let store: Tsdb;
let clock: ReturnType<typeof createFakeClock>;
const open = () => {
  store = createStore({ path: join(folder, 'collector.db'), clock });
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-commit-log-'));
  clock = createFakeClock(START);
  open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Commits a minute apart, so that all but the newest are in chunks after maintenance. */
async function commitAll() {
  for (let n = 0; n < COMMITS; n += 1) {
    await clock.advance(60_000);
    await write(store, { __name__: 'orders', pod: 'cart' }, [[clock.now(), n]]);
  }
  // An hour without samples: the series leaves memory.
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(3_600_000);
    await write(store, { __name__: 'later' }, [[clock.now(), round]]);
    await store.maintain();
  }
}

it('keeps the commits that somebody holds, in order, with labels, over a restart', async () => {
  store.commits.hold(0);
  await commitAll();
  const labelsOf = (ref: number) => Object.fromEntries(decodeLabels(store.commits.labelBytes(ref)!));
  const check = () => {
    const commits = store.commits.after(0, COMMITS);
    expect(commits.map(({ position }) => position)).toEqual(Array.from({ length: COMMITS }, (_, n) => n + 1));
    expect(labelsOf(commits[0]!.samples.refs[0]!)).toEqual({ __name__: 'orders', pod: 'cart' });
    expect(store.commits.newest).toBe(COMMITS + 5);
  };
  check();
  await store.close();
  open();
  check();
  expect(store.commits.sizeAfter(COMMITS)).toMatchObject({ commits: 5 });
  expect(store.commits.after(COMMITS + 5, 1)).toEqual([]);
});

it('lets go of commits that nobody holds once their samples are in chunks; positions still grow', async () => {
  await commitAll();
  const left = store.commits.after(0, 1_000).length;
  expect(left).toBeLessThan(COMMITS);
  await store.close();
  open();
  expect(store.commits.newest).toBe(COMMITS + 5);
});

it('says which commits are beyond a size or an age', async () => {
  store.commits.hold(0);
  for (let n = 0; n < 10; n += 1) await write(store, { __name__: 'orders' }, [[START + n * 1000, n]]);
  const { bytes } = store.commits.sizeAfter(0);
  expect(store.commits.newestBeyond(0, bytes, 0)).toBe(0);
  expect(store.commits.newestBeyond(0, bytes - 1, 0)).toBe(1);
  expect(store.commits.newestBeyond(0, bytes, START + 4_000)).toBe(4);
  expect(store.commits.newestBeyond(6, bytes, START + 4_000)).toBe(6);
});
