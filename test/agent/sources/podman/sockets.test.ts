import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namespaceOf } from '../../../../src/agent/sources/podman/podman-source.ts';
import { findSockets } from '../../../../src/agent/sources/podman/sockets.ts';

describe('the Podman sockets of a host', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-sockets-'));
    put('passwd', 'root:x:0:0::/root:/bin/sh\nmaria.k:x:1011:1011::/home/maria:/bin/sh\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (path: string, text = '') => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const find = (environment: Readonly<Record<string, string>> = {}, uid = 0) =>
    findSockets(environment, uid, {
      run: join(folder, 'run'),
      passwd: join(folder, 'passwd'),
      ownerOf: (path) => (path.startsWith('/home/maria/') ? 1011 : path.startsWith(folder) ? 0 : undefined),
    }).map(({ path, user, named }) => `${user} ${path.replace(folder, '')}${named ? ' named' : ''}`);

  it('are none where there is no Podman', () => expect(find()).toEqual([]));

  it('are root’s and each user’s, by name where the user has one', () => {
    put('run/podman/podman.sock');
    put('run/user/1011/podman/podman.sock');
    put('run/user/1012/podman/podman.sock');
    put('run/user/1013/bus');
    expect(find()).toEqual([
      'root /run/podman/podman.sock',
      'maria.k /run/user/1011/podman/podman.sock',
      '1012 /run/user/1012/podman/podman.sock',
    ]);
  });

  it('are CONTAINER_HOST’s too, there or not, once', () => {
    put('run/podman/podman.sock');
    expect(find({ CONTAINER_HOST: `unix://${folder}/run/podman/podman.sock` })).toEqual([
      'root /run/podman/podman.sock named',
    ]);
    expect(find({ CONTAINER_HOST: 'unix:///srv/podman.sock' }, 1011)).toEqual([
      'maria.k /srv/podman.sock named',
      'root /run/podman/podman.sock',
    ]);
    expect(find({ CONTAINER_HOST: 'unix:///home/maria/podman.sock' })[0]).toBe(
      'maria.k /home/maria/podman.sock named',
    );
    expect(find({ CONTAINER_HOST: 'ssh://somewhere/run/podman.sock' })).toEqual([
      'root /run/podman/podman.sock',
    ]);
  });

  it('give their users’ pods a namespace that may be called so', () => {
    expect(namespaceOf('maria.k')).toBe('maria-k');
    expect(namespaceOf('_X_')).toBe('x');
  });
});
