import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart } from './parts.ts';
import { freePort, until } from './podvitals.ts';

/** A real registry of images on 127.0.0.1, empty, without TLS. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/** `htpasswd`: one line of such a file, hashed by bcrypt; absent: everybody may push and pull. */
export async function startRegistry(htpasswd?: string): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const users = join(folder, 'htpasswd');
  if (htpasswd !== undefined) writeFileSync(users, `${htpasswd}\n`);
  const auth = htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'shop', path: users } } };
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(folder, 'images') } },
      http: { addr: host },
      ...auth,
    }),
  );
  const child = spawn(findPart('docker-registry')!, ['serve', config], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until('the registry answers', 60_000, async () => {
      const { status } = await fetch(`http://${host}/v2/`);
      return status === (htpasswd === undefined ? 200 : 401);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
}
