import type { Terminal } from './program.ts';

// npm hands a Ctrl-C on a second time; a person's second one comes later.
const ECHO_MS = 500;

/**
 * Aborts at the first SIGINT, SIGTERM or SIGHUP, which it tells of by `notice`. From then on a second one, unless it is
 * the echo of the first, ends the process at once.
 */
export function onInterrupt(terminal: Terminal, notice: string): AbortSignal {
  const interrupt = new AbortController();
  let firstAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!interrupt.signal.aborted) {
      firstAt = performance.now();
      terminal.err(`\npodvitals: ${notice}\n`);
      interrupt.abort();
    } else if (performance.now() - firstAt > ECHO_MS) {
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return interrupt.signal;
}
