import { useEffect, useState } from 'preact/hooks';
import { serverNow } from '../now.ts';
import { RequestError } from '../request.ts';
import { READINGS_SECONDS, stepOf } from '../time-range.ts';
import type { Question } from './address.ts';
import { type Answer, askInstant, askRange } from './ask.ts';

/** The newest answer or what went wrong; `asking` while a newer one is under way and the old is still shown. */
export interface Run {
  readonly answer:
    | (Answer & { readonly start: number; readonly end: number; readonly step: number })
    | undefined;
  readonly error: RequestError | undefined;
  readonly asking: boolean;
}

const NOTHING: Run = { answer: undefined, error: undefined, asking: false };

/** Asks whenever the question changes, and once more for each `round`; what is no longer wanted is cancelled. */
export function useRun({ expr, view, range, end }: Question, round: number): Run {
  const [run, setRun] = useState<Run>(NOTHING);
  useEffect(() => {
    if (expr === '') {
      setRun(NOTHING);
      return;
    }
    const stop = new AbortController();
    setRun(({ answer }) => ({ answer, error: undefined, asking: true }));
    const step = stepOf(range.seconds);
    const until = end ?? Math.floor(serverNow() / 1000 / READINGS_SECONDS) * READINGS_SECONDS;
    const bounds = { start: until - range.seconds, end: until, step };
    const asked =
      view === 'graph'
        ? askRange(expr, bounds, stop.signal)
        : askInstant(expr, end ?? Math.floor(serverNow()) / 1000, stop.signal);
    asked.then(
      (answer) => {
        if (!stop.signal.aborted)
          setRun({ answer: { ...answer, ...bounds }, error: undefined, asking: false });
      },
      (error) => {
        if (stop.signal.aborted) return;
        const told = error instanceof RequestError ? error : new RequestError(String(error), 0);
        setRun({ answer: undefined, error: told, asking: false });
      },
    );
    return () => stop.abort();
  }, [expr, view, range.word, end, round]);
  return run;
}
