import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** A port of 127.0.0.1 that nobody listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Waits until `check` gives something other than undefined or false; throws with the last error after `boundMs`. */
export async function until<T>(
  what: string,
  boundMs: number,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + boundMs;
  let last: unknown = 'nothing yet';
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(
        `${what}: not within ${boundMs / 1000} s (${last instanceof Error ? last.message : String(last)})`,
      );
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

export interface Podvitals {
  readonly url: string;
  readonly agentUrl: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** All that was printed so far. */
  output(): string;
  json<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  /** Runs another command of podvitals against this one. */
  command(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

export interface PodvitalsOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly halves?: 'up' | 'agent' | 'collector';
  readonly files?: readonly string[];
  readonly flags?: readonly string[];
  /** More of the configuration's `agent` section. */
  readonly agent?: Readonly<Record<string, unknown>>;
  /** More of its `collector` section. */
  readonly collector?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
  /** A configuration that is there already; written to the data folder when left out. */
  readonly config?: string;
  /** False: it may not be ready yet when `startPodvitals` resolves. */
  readonly waits?: boolean;
}

export interface Ports {
  readonly collector: number;
  readonly agent: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
}

export async function freePorts(): Promise<Ports> {
  return {
    collector: await freePort(),
    agent: await freePort(),
    otlpGrpc: await freePort(),
    otlpHttp: await freePort(),
  };
}

/** A folder for one podvitals, and its removal. */
export function temporaryDataDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'podvitals-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts podvitals as a user would, from the command line, on ports of its own, and waits for its ready line. */
export async function startPodvitals(options: PodvitalsOptions): Promise<Podvitals> {
  const { ports, dataDir } = options;
  const config = options.config ?? join(dataDir, `podvitals-${options.halves ?? 'up'}.yaml`);
  if (options.config === undefined)
    writeFileSync(
      config,
      JSON.stringify({
        dataDir,
        node: 'test-node',
        agent: { listen: `127.0.0.1:${ports.agent}`, ...options.agent },
        collector: {
          listen: `127.0.0.1:${ports.collector}`,
          otlpGrpc: `127.0.0.1:${ports.otlpGrpc}`,
          otlpHttp: `127.0.0.1:${ports.otlpHttp}`,
          ...options.collector,
        },
      }),
    );
  const url = `http://127.0.0.1:${ports.collector}`;
  const env = { ...process.env, ...options.env, PODVITALS_DATA_DIR: dataDir, PODVITALS_SERVER: url };
  const launch = (args: readonly string[]) =>
    spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const child = launch([
    options.halves ?? 'up',
    ...(options.files ?? []),
    '--config',
    config,
    ...(options.flags ?? []),
  ]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = (output + text).slice(-1_000_000);
    });
  }
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const get = async (path: string) => {
    const response = await fetch(new URL(path, url));
    const body = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 300)}`);
    return body;
  };
  const podvitals: Podvitals = {
    url,
    agentUrl: `http://127.0.0.1:${ports.agent}`,
    dataDir,
    process: child,
    output: () => output,
    text: get,
    json: async (path) => JSON.parse(await get(path)),
    command: (...args) =>
      new Promise((done) => {
        const command = launch(args);
        let out = '';
        let err = '';
        command.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text;
        });
        command.stderr.setEncoding('utf8').on('data', (text: string) => {
          err += text;
        });
        command.once('close', (code) => done({ code: code ?? -1, out, err }));
      }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  if (options.waits === false) return podvitals;
  try {
    await until('podvitals is ready', 120_000, () => {
      return child.exitCode !== null || /podvitals (agent |collector )?is ready/.test(output);
    });
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return podvitals;
}
