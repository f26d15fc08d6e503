import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { findPart } from './parts.ts';
import { freePort } from './podvitals.ts';

export type PeerKind = 'prometheus' | 'victoria-metrics';

/** A real server that takes remote write and answers PromQL, on 127.0.0.1; it keeps port and data when started again. */
export interface Peer {
  readonly kind: PeerKind;
  readonly url: string;
  readonly writeUrl: string;
  /** Ends it and waits: by SIGKILL, or SIGTERM where it holds what it acknowledged in memory for a second. */
  stop(): Promise<void>;
  /** Starts it, also again. */
  start(): Promise<void>;
  /** Whatever was written can be read. */
  flush(): Promise<void>;
  /** Ends it and removes its data; also when a test fails. */
  remove(): Promise<void>;
}

const ARGUMENTS: Readonly<Record<PeerKind, (port: number) => string[]>> = {
  prometheus: (port) => [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    '--web.enable-remote-write-receiver',
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ],
  'victoria-metrics': (port) => [
    `-httpListenAddr=127.0.0.1:${port}`,
    '-storageDataPath=data',
    '-inmemoryDataFlushInterval=1s',
    '-loggerLevel=ERROR',
  ],
};

/** Not yet started. `config` is Prometheus' configuration file. */
export async function createPeer(kind: PeerKind, config = 'global: {}\n'): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-peer-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const stop = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(kind === 'prometheus' ? 'SIGKILL' : 'SIGTERM');
    await once(child, 'exit');
  };
  return {
    kind,
    url,
    writeUrl: `${url}/api/v1/write`,
    stop,
    async start() {
      child = spawn(findPart(kind)!, ARGUMENTS[kind](port), { cwd: folder, stdio: 'ignore' });
      const path = kind === 'prometheus' ? '/-/ready' : '/health';
      await eventually(async () => (await fetch(url + path)).ok, 60_000);
    },
    async flush() {
      if (kind === 'victoria-metrics') await fetch(`${url}/internal/force_flush`);
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
