import type { Evidence } from '../../model/evidence.ts';
import type { LogLine, OomKill, ProbeResult } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import { type Death, livedMs, signalOf } from './death.ts';
import { brief, bytes, duration, exitWords, ordinal, rfc3339, signalName } from './words.ts';

const MOST_LOG_FACTS = 3;

/** A fact of a life, cited by the life's id. */
export const ofLife = (death: Death, fact: string, at = death.life.finishedAt): Evidence => ({
  fact,
  source: death.life.id,
  at: rfc3339(at),
});

/** How the container ended. */
export function exitFact(death: Death): Evidence {
  const { life } = death;
  const signal = signalOf(death);
  const how =
    life.signal !== undefined
      ? `was ended by ${signalName(life.signal)} (exit code ${life.exitCode})`
      : signal !== undefined
        ? `exited with code ${life.exitCode} (128 + ${signal}: ${signalName(signal)})`
        : `exited with code ${life.exitCode}${exitWords(life.exitCode)}`;
  return ofLife(death, `container ${life.container} ${how} after ${duration(livedMs(death))}`);
}

/** A line of that life's own log. */
export const logFact = (death: Death, line: LogLine): Evidence =>
  ofLife(death, `its log: ${brief(line.text, 300)}`, line.at);

/** The last lines of the log, for verdicts that cannot explain them; or the fact that there are none. */
export function lastLogFacts(death: Death): readonly Evidence[] {
  const lines = death.life.log.filter(({ text }) => text.trim() !== '').slice(-MOST_LOG_FACTS);
  if (lines.length === 0) return [ofLife(death, `container ${death.life.container} logged nothing`)];
  return lines.map((line) => logFact(death, line));
}

/** Whether the kernel killed for memory: the counter decides, whatever a flag or the log says. */
export function oomCounterFact(death: Death): Evidence | undefined {
  const count = death.oomKillsCounted;
  if (count === undefined) return undefined;
  return {
    fact:
      count === 0
        ? "the kernel's OOM counter did not move in this life: no memory kill"
        : `the kernel's OOM counter rose by ${count} in this life`,
    source: seriesName('podvitals_container_oom_kills_total', death.life.pod, death.life.container),
    at: rfc3339(death.life.finishedAt),
  };
}

export function victimFact(death: Death, kill: OomKill): Evidence {
  const process = kill.command === undefined ? 'a process' : `process ${brief(kill.command, 40)}`;
  const pid = kill.pid === undefined ? '' : ` (pid ${kill.pid})`;
  const size = kill.rssBytes === undefined ? '' : ` holding ${bytes(kill.rssBytes)}`;
  const role = kill.mainProcess ? ", the container's first process" : ', a child process';
  return ofLife(death, `the kernel killed ${process}${pid}${size}${role}`, kill.at);
}

export function probeFact(death: Death, result: ProbeResult): Evidence {
  return ofLife(
    death,
    `${result.probe} probe ${brief(result.target, 120)}: ${brief(result.message, 160)} (${Math.round(result.latencyMs)} ms)`,
    result.at,
  );
}

/** How often it died this way before, newest lives first, without a gap. */
export function repetitionFact(death: Death, cause: string): Evidence | undefined {
  let same = 0;
  for (const life of death.earlier.toReversed()) {
    if (life.verdict.cause !== cause) break;
    same += 1;
  }
  if (same === 0) return undefined;
  const first = death.earlier.at(-same)!;
  return {
    fact: `it is the ${ordinal(same + 1)} death in a row with this cause, the first was at ${rfc3339(first.finishedAt).slice(11, 19)} UTC`,
    source: first.id,
    at: rfc3339(first.finishedAt),
  };
}

/** A series as a query would select it. */
export function seriesName(metric: string, pod: PodRef, container?: string): string {
  const labels: [string, string][] = [
    ['namespace', pod.namespace],
    ['pod', pod.name],
  ];
  if (container !== undefined) labels.push(['container', container]);
  return `${metric}{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`;
}
