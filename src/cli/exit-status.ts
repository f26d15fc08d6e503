/** Ends a command whose answer is printed already: `1` not as it should be, `3` a warning taken for an error. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}
