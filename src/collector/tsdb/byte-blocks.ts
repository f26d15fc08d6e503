/**
 * Small pieces of memory that grow, in large pages: an array of its own for each would take several hundred bytes more,
 * and leave holes in the process' memory. A block is known by its number; it belongs to whoever took it until it is given
 * back.
 */
const PAGE_BYTES = 2 ** 18;
const SIZES = [32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096] as const;

const pages: Uint8Array[] = [];
const free: number[][] = SIZES.map(() => []);
let used = PAGE_BYTES;

export interface Block {
  readonly page: Uint8Array;
  /** Where in the page it begins. */
  readonly start: number;
  readonly bytes: number;
  readonly number: number;
}

/** A block of at least `bytes`, all zeros. One that is larger than any is an array of its own. */
export function takeBlock(bytes: number): Block {
  const size = SIZES.findIndex((one) => one >= bytes);
  if (size < 0) return { page: new Uint8Array(bytes), start: 0, bytes, number: -1 };
  const length = SIZES[size]!;
  const again = free[size]!.pop();
  if (again !== undefined) {
    const block = at(again, length);
    block.page.fill(0, block.start, block.start + length);
    return block;
  }
  if (used + length > PAGE_BYTES) {
    pages.push(new Uint8Array(PAGE_BYTES));
    used = 0;
  }
  const block = at((pages.length - 1) * PAGE_BYTES + used, length);
  used += length;
  return block;
}

export function giveBlock(number: number, bytes: number): void {
  if (number >= 0) free[SIZES.indexOf(bytes as (typeof SIZES)[number])]!.push(number);
}

const at = (number: number, bytes: number): Block => ({
  page: pages[Math.floor(number / PAGE_BYTES)]!,
  start: number % PAGE_BYTES,
  bytes,
  number,
});
