import { describe, expect, it } from 'vitest';
import { createFaultWatch, parseFault } from '../../../src/agent/stats/fault-watch.ts';

const ABORT =
  '6,901,5012345678,-;traps: python3[11] general protection fault ip:7f9c sp:7ffd error:0 in libc.so.6[2650f,7f9c+156000]\n';
const NULL_POINTER =
  '6,902,5012345690,-;python3[12]: segfault at 0 ip 00007fa5 sp 00007ffd error 4 in libc.so.6[167ad8,7fa5+156000] likely on CPU 1\n';

describe('the kernel tells a fault', () => {
  it('by its kind, its process and the file whose code ran', () => {
    expect(parseFault(ABORT)).toEqual({
      pid: 11,
      fault: { kind: 'general protection fault', file: 'libc.so.6' },
    });
    expect(parseFault(NULL_POINTER)).toEqual({ pid: 12, fault: { kind: 'segfault', file: 'libc.so.6' } });
    expect(
      parseFault('6,1,2,-;traps: app[9] trap invalid opcode ip:401 sp:7ffd error:0 in app[401000+1000]'),
    ).toMatchObject({ pid: 9, fault: { kind: 'trap invalid opcode', file: 'app' } });
  });
  it('and nobody else does', () => {
    expect(parseFault(ABORT.replace('6,', '12,'))).toBeUndefined();
    expect(parseFault('6,1,2,-;podvitals0: port 1 entered disabled state')).toBeUndefined();
  });
});

describe('a life', () => {
  it('has the fault of its first process, when a fault ended it', () => {
    const queue = [[ABORT], [NULL_POINTER], []];
    const watch = createFaultWatch({ read: () => queue.shift() ?? [], close: () => {} });
    watch.started('a', 11);
    watch.started('b', 12);
    watch.started('c', 13);
    expect(watch.ended('a', 11)?.kind).toBe('general protection fault');
    expect(watch.ended('a', 11)).toBeUndefined();
    expect(watch.ended('b', undefined)).toBeUndefined();
    expect(watch.ended('c', 11)).toBeUndefined();
  });
  it('has none where the log cannot be read', () => {
    const watch = createFaultWatch({ read: () => [], close: () => {} });
    watch.started('a', 11);
    expect(watch.ended('a', 11)).toBeUndefined();
  });
});
