import assert from 'node:assert/strict';

/**
 * The CPU time this thread spent in each round of the event loop while `work` went on: what others wait for. Unlike
 * wall time it does not depend on what else the machine does.
 */
export async function roundsDuring<T>(work: () => Promise<T>): Promise<{ result: T; roundsMs: number[] }> {
  const roundsMs: number[] = [];
  let running = true;
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let before = cpuMs();
  const look = () => {
    const now = cpuMs();
    roundsMs.push(now - before);
    before = now;
    if (running) setImmediate(look);
  };
  setImmediate(look);
  try {
    const result = await work();
    // The round in which it ended counts too.
    await new Promise((resolve) => setImmediate(resolve));
    return { result, roundsMs };
  } finally {
    running = false;
  }
}

/** The promise: nobody is held longer than this by the work of another. */
const LONGEST_ROUND_MS = 20;
// Collecting garbage, and what is compiled anew, is not in our hands.
const MOST_LONGER = 3;
const LONGEST_WITH_GARBAGE_MS = 100;

export function expectShortRounds(roundsMs: readonly number[]): void {
  const longer = roundsMs.filter((ms) => ms > LONGEST_ROUND_MS);
  const words = `${longer.map((ms) => ms.toFixed(1)).join(', ')} ms of ${roundsMs.length} rounds are too long`;
  assert.ok(longer.length <= MOST_LONGER && longer.every((ms) => ms < LONGEST_WITH_GARBAGE_MS), words);
}
