import { join } from 'node:path';
import { temporaryFolder } from './clean-up.ts';
import { type Engine, launchPodvitals, startReceivers } from './engines.ts';
import { createOtlpRounds, sendOtlp } from './otlp-requests.ts';
import { createRounds, send } from './write-requests.ts';

export interface Received {
  readonly engine: Engine['name'];
  /** After all series are known. */
  readonly cpuSecondsPerMillion: number;
  readonly cpuMicrosecondsANewSeries: number;
  readonly emptyBytes: number;
  readonly loadedBytes: number;
}

/** A way in by which samples are sent. */
export interface Door {
  readonly rounds: (seriesCount: number, startMs: number) => () => readonly Uint8Array[];
  /** False when the engine has no such door. */
  readonly send: (engine: Engine, body: Uint8Array) => Promise<boolean>;
}

export const REMOTE_WRITE: Door = {
  rounds: createRounds,
  send: async (engine, body) => {
    await send(engine, body);
    return true;
  },
};
export const OTLP: Door = { rounds: createOtlpRounds, send: sendOtlp };

async function inPairs(door: Door, engine: Engine, requests: readonly Uint8Array[]): Promise<boolean> {
  for (let i = 0; i < requests.length; i += 2) {
    const taken = await Promise.all(requests.slice(i, i + 2).map((body) => door.send(engine, body)));
    if (taken.includes(false)) return false;
  }
  return true;
}

/** `rounds` samples of `count` series by a door into each engine that has it, or ours alone, taking turns round by round. */
export async function receive(
  count: number,
  rounds: number,
  door: Door = REMOTE_WRITE,
  alone = false,
): Promise<readonly Received[]> {
  const folder = temporaryFolder();
  let engines: readonly Engine[] = [];
  try {
    engines = alone
      ? [await launchPodvitals(join(folder.path, 'podvitals'))]
      : await startReceivers(folder.path);
    const next = door.rounds(count, Date.now() - rounds * 15_000);
    let found = engines.map((engine) => ({ engine, empty: engine.residentBytes(), making: 0, spent: 0 }));
    for (let round = 0; round < rounds; round += 1) {
      const requests = next();
      for (const one of found) {
        const before = one.engine.cpuSeconds();
        if (!(await inPairs(door, one.engine, requests))) {
          console.log(`${one.engine.name}, this build, has no such door: left out`);
          found = found.filter((other) => other !== one);
        }
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

/** `a` as a share of what another engine has; empty where it is not there. */
export function beside(name: Engine['name'], all: readonly Received[], of: (one: Received) => number) {
  const other = all.find(({ engine }) => engine === name);
  return (one: Received) => (other ? (of(one) / of(other)).toFixed(2) : '');
}

export const besidePrometheus = (all: readonly Received[], of: (one: Received) => number) =>
  beside('prometheus', all, of);
