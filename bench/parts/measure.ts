import { setTimeout as wait } from 'node:timers/promises';
import type { Engine } from './engines.ts';

export interface Question {
  readonly name: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly bytes: number;
  readonly series: number;
}

/** Asks once and reads the whole answer. */
export async function ask(engine: Engine, { name, path, parameters }: Question): Promise<string> {
  const body = new URLSearchParams({ ...parameters, ...engine.parameters });
  const response = await fetch(`${engine.url}${path}`, { method: 'POST', body });
  const text = await response.text();
  if (response.status === 429) {
    // Ours takes so many requests a minute from one address: to wait costs no CPU time.
    await wait((Number(response.headers.get('retry-after')) + 1) * 1000);
    return ask(engine, { name, path, parameters });
  }
  if (!response.ok) throw new Error(`${engine.name}: ${text.slice(0, 300)}`);
  return text;
}

export const ROUNDS = 3;
// CPU time is told in steps of 10 ms, so that a round has to last.
const ROUND_MS = 250;
const MOST_A_ROUND = 400;
export const WARM_UP_MS = 500;

/**
 * CPU and wall time of a question to each engine: medians of three rounds, the engines taking turns. It is asked for a while
 * before, three times at least: servers run for days, with their code compiled.
 */
export async function measure(
  engines: readonly Engine[],
  question: Question,
  { rounds: mostRounds, warmUpMs }: { readonly rounds: number; readonly warmUpMs: number } = {
    rounds: ROUNDS,
    warmUpMs: WARM_UP_MS,
  },
): Promise<Map<string, Measured>> {
  const repeats = new Map<Engine, number>();
  const rounds = new Map<Engine, { cpuMs: number; wallMs: number }[]>();
  const answers = new Map<Engine, string>();
  for (const engine of engines) {
    const warmUntil = performance.now() + warmUpMs;
    for (let i = 0; i < 3 || performance.now() < warmUntil; i += 1) await ask(engine, question);
    const began = performance.now();
    answers.set(engine, await ask(engine, question));
    const once = performance.now() - began;
    repeats.set(engine, Math.min(MOST_A_ROUND, Math.max(3, Math.ceil(ROUND_MS / once))));
    rounds.set(engine, []);
  }
  for (let round = 0; round < mostRounds; round += 1) {
    for (const engine of engines) {
      const count = repeats.get(engine)!;
      const cpu = engine.cpuSeconds();
      const began = performance.now();
      for (let i = 0; i < count; i += 1) await ask(engine, question);
      rounds.get(engine)!.push({
        wallMs: (performance.now() - began) / count,
        cpuMs: ((engine.cpuSeconds() - cpu) * 1000) / count,
      });
    }
  }
  return new Map(
    engines.map((engine) => {
      const all = rounds.get(engine)!;
      const text = answers.get(engine)!;
      return [
        engine.name,
        {
          cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
          wallMs: median(all.map(({ wallMs }) => wallMs)),
          bytes: text.length,
          series: seriesIn(text),
        },
      ];
    }),
  );
}

function seriesIn(text: string): number {
  const { data } = JSON.parse(text) as { data: { result: unknown } };
  return Array.isArray(data.result) ? data.result.length : 1;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** The value below which `share` of all are. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Rows as a Markdown table. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  printRow(head);
  console.log(`|${head.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`);
  for (const row of rows) printRow(row);
}

export const printRow = (row: readonly string[]): void => console.log(`| ${row.join(' | ')} |`);
