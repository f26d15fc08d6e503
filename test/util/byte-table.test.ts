import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteTable } from '../../src/util/byte-table.ts';

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);

describe('a table of bytes', () => {
  it('knows just what was added and not removed, whatever the bytes', () => {
    const step = fc.record({
      remove: fc.boolean(),
      group: fc.nat(2),
      // Few different ones, so that they come again; lengths around whole words.
      bytes: fc.uint8Array({ maxLength: 9, max: 2 }),
      before: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer(), (steps, seed) => {
        const table = createByteTable(seed);
        const known = new Map<string, number>();
        for (const { remove, group, bytes, before } of steps) {
          const name = `${group}:${bytes.join()}`;
          // At any place within other bytes.
          const around = viewOf(Uint8Array.from([...new Uint8Array(before), ...bytes, 1, 2]));
          const to = before + bytes.length;
          const found = table.find(group, around, before, to);
          expect(found).toBe(known.get(name) ?? -1);
          if (found < 0 && !remove) known.set(name, table.add(group, around, before, to));
          else if (found >= 0) {
            expect(table.isAt(found, group, around, before)).toBe(true);
            expect(table.lengthOf(found)).toBe(bytes.length);
            if (remove) {
              table.remove(found);
              known.delete(name);
              expect(table.isAt(found, group, around, before)).toBe(false);
            }
          }
          expect(table.size).toBe(known.size);
        }
        expect(new Set(known.values()).size).toBe(known.size);
      }),
      { numRuns: 300 },
    );
  });

  it('finds all of very many keys, and lets go of the memory of those that are gone', () => {
    const table = createByteTable(1);
    const keyOf = (i: number) => viewOf(Buffer.from(`container_memory_bytes{pod="cart-${i}"}`));
    const add = (i: number) => table.add(0, keyOf(i), 0, keyOf(i).byteLength);
    const find = (i: number) => table.find(0, keyOf(i), 0, keyOf(i).byteLength);
    for (let i = 0; i < 20_000; i += 1) add(i);
    for (let i = 0; i < 20_000; i += 1) if (i % 10 > 0) table.remove(find(i));
    for (let i = 0; i < 20_000; i += 1) expect(find(i) >= 0).toBe(i % 10 === 0);
    for (let i = 0; i < 20_000; i += 1) if (i % 10 > 0) add(i);
    expect(new Set(Array.from({ length: 20_000 }, (_, i) => find(i))).size).toBe(20_000);
    expect(table.size).toBe(20_000);
    expect(find(20_000)).toBe(-1);
  });
});
