/** The door `podvitals/testing`: the doubles that podvitals' own tests use, for tests of yours. */
export { createFakeRuntime } from '../../agent/pod/runtime/fake.ts';
export { createMemoryStore } from '../../collector/tsdb/memory-store.ts';
export { createFakeClock, type FakeClock } from '../../util/clock.ts';
