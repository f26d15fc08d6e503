import { type Logger, pino } from 'pino';
import type { Clock } from '../util/clock.ts';
import { isCodedError } from '../util/coded-error.ts';

const QUIET_MS = 60_000;
const MOST_REMEMBERED = 200;

/**
 * Logs in JSON lines to `write`, from `level` on. The same message of the same failure is told once a minute, then
 * with how many were left out (`repeated`). Failures that a user can act on come without the stack of our code.
 */
export function createLogger(level: string, clock: Clock, write: (line: string) => void): Logger {
  const told = new Map<string, { readonly atMs: number; repeated: number }>();

  /** How many were left out since it was last told; undefined: leave this one out too. */
  const repeatedSince = (key: string): number | undefined => {
    const now = clock.monotonic();
    const last = told.get(key);
    if (last !== undefined && now - last.atMs < QUIET_MS) {
      last.repeated += 1;
      return undefined;
    }
    told.delete(key);
    if (told.size >= MOST_REMEMBERED) told.delete(told.keys().next().value!);
    told.set(key, { atMs: now, repeated: 0 });
    return last?.repeated ?? 0;
  };

  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (error) =>
          isCodedError(error) ? { code: error.code, message: error.message } : pino.stdSerializers.err(error),
      },
      hooks: {
        logMethod(args, method) {
          const [fields, text] = args as [unknown, string | undefined];
          const failure = (fields as { err?: unknown } | null)?.err;
          if (!(failure instanceof Error)) return method.apply(this, args);
          const repeated = repeatedSince(`${text} ${failure.message}`);
          if (repeated === undefined) return;
          const counted = repeated === 0 ? fields : { ...(fields as object), repeated };
          return method.apply(this, [counted, text] as unknown as typeof args);
        },
      },
    },
    { write },
  );
}
