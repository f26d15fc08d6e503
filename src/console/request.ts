import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** What the server said went wrong, or that it could not be reached, as a sentence. */
export class RequestError extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** @throws RequestError */
export async function getText(url: string, init?: RequestInit): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw new RequestError('The collector cannot be reached.', 0);
  }
  const text = await answer.text();
  if (answer.ok) return text;
  throw new RequestError(messageIn(text) ?? `The collector answered ${answer.status}.`, answer.status);
}

export async function getJson<Body>(url: string, init?: RequestInit): Promise<Body> {
  return JSON.parse(await getText(url, init)) as Body;
}

function messageIn(text: string): string | undefined {
  try {
    const { message, error } = JSON.parse(text) as { message?: unknown; error?: unknown };
    return [message, error].find((value) => typeof value === 'string') as string | undefined;
  } catch {
    return undefined;
  }
}

/** Something asked for: nothing yet, what came last, and what went wrong since. */
export interface Asked<Value> {
  readonly value: Value | undefined;
  readonly error: RequestError | undefined;
  /** Asks again, at most once a second. */
  readonly reload: () => void;
}

/** Asks when the page shows and each `everyMs` while it is visible; `key` says what is asked for. */
export function useAsked<Value>(
  key: string,
  ask: (signal: AbortSignal) => Promise<Value>,
  everyMs?: number,
): Asked<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error?: RequestError }>({ key });
  const latest = useRef(ask);
  latest.current = ask;
  // A new round asks again.
  const [round, setRound] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    latest.current(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ key, value });
      },
      (error) => {
        if (abort.signal.aborted) return;
        const shown = error instanceof RequestError ? error : new RequestError(String(error), 0);
        setState((before) => (before.key === key ? { ...before, error: shown } : { key, error: shown }));
      },
    );
    return () => abort.abort();
  }, [key, round]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden) setRound((before) => before + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const reload = useCallback(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      setRound((before) => before + 1);
    }, 1000);
  }, []);

  const current = state.key === key ? state : undefined;
  return { value: current?.value, error: current?.error, reload };
}
