import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import type { ExpositionSink } from '../../wire/prometheus/exposition-reader.ts';
import { createTextMemo } from './text-memo.ts';

type Told = Pick<ExpositionSink, 'type' | 'help' | 'unit'>;

/** What a target's comments say, so that a line that comes again and again is read once. Bounded. */
export interface CommentCache {
  /** What a reader of `body` is to tell; `told` gets to know all it says, read or remembered. */
  begin(
    body: Uint8Array,
    format: TextFormat,
    told: Told,
  ): Told & Pick<ExpositionSink, 'knownComment' | 'comment'>;
  /** Ends a reading: what was not there for a while is forgotten. */
  done(): void;
}

interface Comment {
  readonly tell: (told: Told) => void;
  usedIn: number;
}

const KEPT_READINGS = 2;
const MOST_COMMENTS = 60_000;
const LONGEST_COMMENT = 4096;
const NEWLINE = 10;

/** `seed` is random, but for tests. */
export function createCommentCache(seed: number): CommentCache {
  let memo = createTextMemo<Comment>(seed);
  let reading = 1;
  let lastFormat: TextFormat | undefined;
  return {
    begin(body, format, told) {
      // What one format takes for a comment the other may not.
      if (lastFormat !== format) memo = createTextMemo(seed);
      lastFormat = format;
      memo.begin(body, false);
      let saying: Comment['tell'] | undefined;
      const say = (tell: Comment['tell']) => {
        saying = tell;
        tell(told);
      };
      return {
        type: (name, type) => say((to) => to.type(name, type)),
        help: (name, text) => say((to) => to.help(name, text)),
        unit: (name, unit) => say((to) => to.unit(name, unit)),
        knownComment(at) {
          saying = undefined;
          const expected = memo.expectedEnd(at);
          const end = expected < 0 ? body.indexOf(NEWLINE, at) + 1 : expected;
          const known = end === 0 ? undefined : memo.get(at, end);
          if (known === undefined) return -1;
          known.usedIn = reading;
          known.tell(told);
          return end;
        },
        comment(from, to) {
          if (saying === undefined || to - from > LONGEST_COMMENT || memo.size >= MOST_COMMENTS) return;
          if (memo.get(from, to) === undefined) memo.add(from, to, { tell: saying, usedIn: reading });
        },
      };
    },
    done() {
      reading += 1;
      for (const _ of memo.forgetting(({ usedIn }) => reading - usedIn > KEPT_READINGS));
    },
  };
}
