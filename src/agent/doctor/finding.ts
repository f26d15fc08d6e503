/** One thing looked at. `warning`: works with less; `error`: does not work until it is mended. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'error';
  /** What there is. */
  readonly found: string;
  /** What to do, as a command where there is one. */
  readonly remedy?: string;
}

export const ok = (name: string, found: string): Finding => ({ name, status: 'ok', found });
export const warning = (name: string, found: string, remedy: string): Finding => ({
  name,
  status: 'warning',
  found,
  remedy,
});
export const failure = (name: string, found: string, remedy: string): Finding => ({
  name,
  status: 'error',
  found,
  remedy,
});
