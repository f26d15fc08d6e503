/**
 * Small pieces of memory in large pages: an array of its own for each would take several hundred bytes more, and leave
 * holes in the process' memory. A block is known by its number; it belongs to whoever took it until it is given back.
 * All blocks begin at a multiple of eight bytes.
 */
export interface ByteBlocks {
  /** The number of a block of `roomFor(bytes)` bytes, all zeros. */
  take(bytes: number): number;
  /** `bytes` as they were asked for, or the room that came of it. */
  give(block: number, bytes: number): void;
  /** The page a block is in; it begins at `startOf(block)`. */
  page(block: number): Uint8Array;
  /** The same page by words, of which the block's first is at `startOf(block) / 4`. */
  words(block: number): Int32Array;
  /** All pages by words, for who looks at very many blocks: the page of each is at `pageOf(block)`. */
  readonly wordPages: readonly Int32Array[];
}

const PAGE_BITS = 20;
const PAGE_BYTES = 2 ** PAGE_BITS;
const SIZES = [
  8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
  1024, 1280, 1536, 2048, 2560, 3072, 4096, 6144, 8192,
] as const;
const LARGEST = 8192;
/** Which size serves, by the number of eights. */
const sizeOf = Uint8Array.from({ length: LARGEST / 8 + 1 }, (_, eights) =>
  SIZES.findIndex((size) => size >= eights * 8),
);

export const roomFor = (bytes: number): number =>
  bytes > LARGEST ? Math.ceil(bytes / 8) * 8 : SIZES[sizeOf[(bytes + 7) >>> 3]!]!;

export const pageOf = (block: number): number => block >>> PAGE_BITS;

export const startOf = (block: number): number => block & (PAGE_BYTES - 1);

export function createByteBlocks(): ByteBlocks {
  const pages: Uint8Array[] = [];
  const words: Int32Array[] = [];
  const free: number[][] = SIZES.map(() => []);
  const freePages: number[] = [];
  let used = PAGE_BYTES;
  let current = 0;

  const addPage = (bytes: number) => {
    const buffer = new ArrayBuffer(bytes);
    const number = freePages.pop() ?? pages.length;
    pages[number] = new Uint8Array(buffer);
    words[number] = new Int32Array(buffer);
    return number;
  };

  return {
    take(bytes) {
      // One that is larger than any is a page of its own.
      if (bytes > LARGEST) return addPage(roomFor(bytes)) * PAGE_BYTES;
      const size = sizeOf[(bytes + 7) >>> 3]!;
      const room = SIZES[size]!;
      const again = free[size]!.pop();
      if (again !== undefined) {
        const start = startOf(again);
        pages[again >>> PAGE_BITS]!.fill(0, start, start + room);
        return again;
      }
      if (used + room > PAGE_BYTES) {
        current = addPage(PAGE_BYTES);
        used = 0;
      }
      used += room;
      return current * PAGE_BYTES + used - room;
    },
    give(block, bytes) {
      if (bytes <= LARGEST) {
        free[sizeOf[(bytes + 7) >>> 3]!]!.push(block);
        return;
      }
      const number = block >>> PAGE_BITS;
      pages[number] = new Uint8Array(0);
      words[number] = new Int32Array(0);
      freePages.push(number);
    },
    page: (block) => pages[block >>> PAGE_BITS]!,
    words: (block) => words[block >>> PAGE_BITS]!,
    wordPages: words,
  };
}
