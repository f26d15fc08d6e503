import { podmanError } from './podman-error.ts';

/** Cuts a stream of bytes into lines. */
export interface Lines {
  push(chunk: Buffer): void;
  /** What is left without a line feed is a line, too. */
  end(): void;
}

/** Empty lines are left out. @throws CodedError `PODMAN_BAD_ANSWER` for a line of more than `most` bytes. */
export function createLines(most: number, onLine: (line: string) => void): Lines {
  let rest: Buffer[] = [];
  let length = 0;
  const take = () => {
    const line = Buffer.concat(rest).toString('utf8').trim();
    rest = [];
    length = 0;
    if (line !== '') onLine(line);
  };
  return {
    push(chunk) {
      let from = 0;
      for (let feed = chunk.indexOf(10); feed !== -1; feed = chunk.indexOf(10, from)) {
        rest.push(chunk.subarray(from, feed));
        from = feed + 1;
        take();
      }
      if (from === chunk.length) return;
      rest.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > most)
        throw podmanError('PODMAN_BAD_ANSWER', `Podman sent a line of more than ${most} bytes`);
    },
    end: take,
  };
}
