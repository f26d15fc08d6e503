import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Verdict } from '../../src/model/verdict.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from './podvitals.ts';

/** A manifest that really fails, and what is really wrong with it. */
export interface Fault {
  readonly file: string;
  /** Any of these is right; `None` for a healthy decoy. */
  readonly causes: readonly string[];
  readonly observeMs: number;
  /** The pod or workload that is asked about. */
  readonly target: { readonly namespace: string; readonly name: string };
  readonly runtime: string;
}

export interface Finding {
  readonly fault: Fault;
  readonly verdict: Pick<Verdict, 'cause' | 'confidence' | 'summary'>;
  readonly correct: boolean;
}

interface Annotated {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly template?: { readonly metadata?: Annotated['metadata'] } };
}

const PREFIX = 'podvitals.dev/';
const OBSERVE_SECONDS = 60;
/** What one podvitals with its pods may take. */
const BYTES_EACH = 768 * 1024 * 1024;
const RUNS_A_CORE = 4;
const MOST_STARTS = 3;
/** A death has just been seen, and the record of that life is under way. */
const BEING_MADE = /what is missing is the record of that life/;

/** The faults of a manifest or of all manifests of a folder, those without a true cause left out. */
export function readFaults(path: string): readonly Fault[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.ya?ml$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return files.flatMap((file) => readFault(file) ?? []);
}

function readFault(file: string): Fault | undefined {
  const objects = parseAllDocuments(readFileSync(file, 'utf8')).flatMap(
    (document) => (document.toJS() ?? []) as Annotated | [],
  );
  for (const object of objects) {
    const notes = { ...object.spec?.template?.metadata?.annotations, ...object.metadata?.annotations };
    const causes = notes[`${PREFIX}true-cause`];
    if (causes === undefined) continue;
    const { name = '', namespace = 'default' } = object.metadata ?? {};
    const target = notes[`${PREFIX}target`]?.split('/') ?? [name];
    return {
      file,
      causes: causes.split('|').map((cause) => cause.trim()),
      observeMs: Number(notes[`${PREFIX}observe-seconds`] ?? OBSERVE_SECONDS) * 1000,
      target: {
        namespace: target.length > 1 ? target[0]! : namespace,
        name: target.at(-1)!,
      },
      runtime: notes[`${PREFIX}runtime`] ?? 'process',
    };
  }
  return undefined;
}

/**
 * Runs each fault in a podvitals of its own, as many at once as the machine bears, and asks why. Starts are taken in
 * turn and leave a core free, so that pods are not starved by the start of another podvitals. `env`: what each podvitals
 * finds its container engine by.
 */
export async function runFaults(
  faults: readonly Fault[],
  machine: { readonly cores: number; readonly freeBytes: number },
  told: (finding: Finding) => void = () => {},
  env: NodeJS.ProcessEnv = {},
): Promise<readonly Finding[]> {
  const lanes = Math.max(
    1,
    Math.min(faults.length, machine.cores * RUNS_A_CORE, Math.floor(machine.freeBytes / BYTES_EACH)),
  );
  const starting = createTurns(Math.max(1, machine.cores - 1));
  // The longest first: nothing waits for one that began last.
  const waiting = [...faults].sort((a, b) => b.observeMs - a.observeMs);
  const findings: Finding[] = [];
  // Should the lab itself be ended, its pods end with it.
  const running = new Set<Podvitals>();
  const endAll = () => {
    for (const { process: child } of running) child.kill('SIGINT');
  };
  process.once('exit', endAll);
  const lane = async () => {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
      const finding = await runFault(fault, starting, running, env);
      findings.push(finding);
      told(finding);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  process.off('exit', endAll);
  return findings.sort((a, b) => (a.fault.file < b.fault.file ? -1 : 1));
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>;

function createTurns(places: number): Turns {
  let free = places;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free += 1;
    }
  };
}

async function runFault(
  fault: Fault,
  starting: Turns,
  running: Set<Podvitals>,
  env: NodeJS.ProcessEnv,
): Promise<Finding> {
  const dataDir = temporaryDataDir();
  try {
    const podvitals = await starting(() => startWith(fault, dataDir.path, env, MOST_STARTS));
    running.add(podvitals);
    try {
      await new Promise((resolve) => setTimeout(resolve, fault.observeMs));
      const { namespace, name } = fault.target;
      const path = `/api/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/why`;
      const { verdict } = await until(`podvitals knows ${namespace}/${name}`, 60_000, async () => {
        const answer = await podvitals.json<{ readonly verdict: Verdict }>(path);
        return !BEING_MADE.test(answer.verdict.summary) && answer;
      });
      return { fault, verdict, correct: fault.causes.includes(verdict.cause) };
    } finally {
      await podvitals.stop();
      running.delete(podvitals);
    }
  } catch (error) {
    // A manifest that podvitals refuses, or an answer that never came, is a wrong answer and no end of the lab.
    const summary = error instanceof Error ? error.message : String(error);
    return { fault, verdict: { cause: '(no answer)', confidence: 'unknown', summary }, correct: false };
  } finally {
    dataDir.remove();
  }
}

/** A port that was free may be taken a moment later: then others are tried. */
async function startWith(
  fault: Fault,
  dataDir: string,
  env: NodeJS.ProcessEnv,
  tries: number,
): Promise<Podvitals> {
  try {
    const agent = { backOff: { base: '1s' }, runtime: fault.runtime };
    return await startPodvitals({ dataDir, ports: await freePorts(), files: [fault.file], agent, env });
  } catch (error) {
    if (tries <= 1 || !/another process has port/.test(String(error))) throw error;
    return startWith(fault, dataDir, env, tries - 1);
  }
}

/** How many were right, and how many were wrong although they said to be certain. */
export function score(findings: readonly Finding[]): {
  readonly correct: number;
  readonly wrongCertain: number;
  readonly all: number;
} {
  const wrong = findings.filter(({ correct }) => !correct);
  return {
    correct: findings.length - wrong.length,
    wrongCertain: wrong.filter(({ verdict }) => verdict.confidence === 'certain').length,
    all: findings.length,
  };
}

/** True causes down, verdicts across, as text; a cause with alternatives counts as the one that was said. */
export function confusionMatrix(findings: readonly Finding[]): string {
  const rows = findings.map(({ fault: { causes }, verdict: { cause }, correct }) => ({
    truth: correct ? cause : causes[0]!,
    said: cause,
  }));
  const truths = [...new Set(rows.map(({ truth }) => truth))].sort();
  const said = [...new Set(rows.map((row) => row.said))].sort();
  const count = (truth: string, cause: string) =>
    rows.filter((row) => row.truth === truth && row.said === cause).length;
  const width = Math.max(...truths.map(({ length }) => length));
  const mark = (index: number) => String(index + 1).padStart(3);
  return [
    `${'true cause'.padEnd(width)}  ${said.map((_, index) => mark(index)).join('')}`,
    ...truths.map(
      (truth) =>
        `${truth.padEnd(width)}  ${said.map((cause) => String(count(truth, cause) || '·').padStart(3)).join('')}`,
    ),
    ...said.map((cause, index) => `${mark(index)} said ${cause}`),
  ].join('\n');
}
