import { temporaryFolder } from './clean-up.ts';
import { type Engine, startReceivers } from './engines.ts';
import { createRounds, send } from './write-requests.ts';

export interface Received {
  readonly engine: Engine['name'];
  /** After all series are known. */
  readonly cpuSecondsPerMillion: number;
  readonly cpuMicrosecondsANewSeries: number;
  readonly emptyBytes: number;
  readonly loadedBytes: number;
}

async function inPairs(engine: Engine, requests: readonly Uint8Array[]): Promise<void> {
  for (let i = 0; i < requests.length; i += 2)
    await Promise.all(requests.slice(i, i + 2).map((body) => send(engine, body)));
}

/** `rounds` samples of `count` series by remote write into each engine, taking turns round by round. */
export async function receive(count: number, rounds: number): Promise<readonly Received[]> {
  const folder = temporaryFolder();
  let engines: readonly Engine[] = [];
  try {
    engines = await startReceivers(folder.path);
    const next = createRounds(count, Date.now() - rounds * 15_000);
    const found = engines.map((engine) => ({ engine, empty: engine.residentBytes(), making: 0, spent: 0 }));
    for (let round = 0; round < rounds; round += 1) {
      const requests = next();
      for (const one of found) {
        const before = one.engine.cpuSeconds();
        await inPairs(one.engine, requests);
        one[round === 0 ? 'making' : 'spent'] += one.engine.cpuSeconds() - before;
      }
    }
    return found.map(({ engine, empty, making, spent }) => ({
      engine: engine.name,
      cpuSecondsPerMillion: (spent * 1e6) / (count * (rounds - 1)),
      cpuMicrosecondsANewSeries: (making * 1e6) / count,
      emptyBytes: empty,
      loadedBytes: engine.residentBytes(),
    }));
  } finally {
    for (const engine of engines) await engine.stop();
    folder.remove();
  }
}

/** `a` as a share of what Prometheus has; empty where it is not installed. */
export function besidePrometheus(all: readonly Received[], of: (one: Received) => number) {
  const prometheus = all.find(({ engine }) => engine === 'prometheus');
  return (one: Received) => (prometheus ? (of(one) / of(prometheus)).toFixed(2) : '');
}
