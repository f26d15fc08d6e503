const KEY = 'podvitals.explore.queries';
const MOST = 20;
const LONGEST = 10_000;

/** The newest first, each once, at most 20. */
export function withQuery(past: readonly string[], expr: string): readonly string[] {
  const text = expr.trim();
  if (text === '' || text.length > LONGEST) return past;
  return [text, ...past.filter((one) => one !== text)].slice(0, MOST);
}

/** What this browser asked before; nothing when it keeps nothing, or when what it kept is not ours. */
export function readPastQueries(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    if (!Array.isArray(kept)) return [];
    return kept.filter((one) => typeof one === 'string' && one.length <= LONGEST).slice(0, MOST);
  } catch {
    return [];
  }
}

export function keepPastQueries(queries: readonly string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(queries));
  } catch {
    // A browser that keeps nothing (private windows, a full disk) has no history.
  }
}
