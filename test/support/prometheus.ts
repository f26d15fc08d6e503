import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../src/wire/prometheus/remote-write-client.ts';
import { findPart } from './parts.ts';
import { type WrittenSeries, writeRequest } from './write-request.ts';

/** A real Prometheus with data, on 127.0.0.1. */
export interface RealPrometheus {
  readonly url: string;
  /** The body of an answer, whatever its status. */
  get(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown>;
  stop(): Promise<void>;
}

const STARTS_WITHIN_MS = 90_000;

/** Starts Prometheus over the samples of an OpenMetrics text; stop it even when a test fails. */
export async function startPrometheus(
  openMetrics: string,
  flags: readonly string[] = [],
  configuration = 'global: {scrape_interval: 15s}\n',
): Promise<RealPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-prometheus-'));
  const data = join(folder, 'data');
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, configuration);
  if (openMetrics !== '') loadBlocks(openMetrics, folder, data);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    findPart('prometheus')!,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
      ...flags,
    ],
    { stdio: 'ignore' },
  );
  const stop = async () => {
    await kill(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    async get(path, parameters) {
      const body = new URLSearchParams(parameters);
      const response = await fetch(`${url}${path}`, { method: 'POST', body });
      return response.json();
    },
    stop,
  };
}

/** Starts Prometheus, whose samples come by remote write, stale markers among them. */
export async function startPrometheusWith(
  series: readonly WrittenSeries[],
  flags: readonly string[] = [],
): Promise<RealPrometheus> {
  const prometheus = await startPrometheus('', ['--web.enable-remote-write-receiver', ...flags]);
  const client = createRemoteWriteClient(
    { url: `${prometheus.url}/api/v1/write`, headers: {}, timeoutMs: STARTS_WITHIN_MS },
    systemClock,
  );
  const outcome = await client.write(writeRequest(series), new AbortController().signal);
  if (outcome.kind === 'accepted') return prometheus;
  await prometheus.stop();
  throw new Error(`prometheus took no samples: ${outcome.message}`);
}

function loadBlocks(openMetrics: string, folder: string, data: string): void {
  const file = join(folder, 'samples.om');
  writeFileSync(file, openMetrics);
  execFileSync(findPart('promtool')!, ['tsdb', 'create-blocks-from', 'openmetrics', file, data], {
    stdio: 'pipe',
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + STARTS_WITHIN_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`prometheus exited with ${child.exitCode}`);
    const up = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('prometheus did not start');
}

function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
