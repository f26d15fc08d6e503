import type { Terminal } from './program.ts';

// npm hands a Ctrl-C on a second time; a person's second one comes later.
const ECHO_MS = 500;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. From then on a second one, unless it is the echo of the first, ends
 * the process at once.
 */
export function untilInterrupted(terminal: Terminal, notice: string): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        terminal.err(`\npodvitals: ${notice}\n`);
        resolve();
      } else if (performance.now() - firstAt > ECHO_MS) {
        process.exit(signal === 'SIGINT' ? 130 : 143);
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}
