import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A Podman's socket, and whose Podman it is. */
export interface PodmanSocket {
  readonly path: string;
  readonly user: string;
  /** Named by the user: that it is missing is told. */
  readonly named: boolean;
}

export interface HostFolders {
  /** `/run` */
  readonly run: string;
  /** `/etc/passwd` */
  readonly passwd: string;
  /** The uid a socket belongs to; undefined where it is not there. */
  readonly ownerOf: (path: string) => number | undefined;
}

const HOST: HostFolders = {
  run: '/run',
  passwd: '/etc/passwd',
  ownerOf: (path) => statSync(path, { throwIfNoEntry: false })?.uid,
};

/**
 * The Podman sockets of this host that may be there: CONTAINER_HOST where it is set, root's, and each user's under
 * `/run/user`. What cannot be looked into is left out. CONTAINER_HOST by another way than a unix socket is not ours.
 */
export function findSockets(
  environment: Readonly<Record<string, string | undefined>>,
  uid: number,
  hostFolders: Partial<HostFolders> = {},
): readonly PodmanSocket[] {
  const host = { ...HOST, ...hostFolders };
  const users = userNames(host.passwd);
  const nameOf = (id: number) => users.get(id) ?? String(id);
  const found: PodmanSocket[] = [];
  const add = (path: string, user: string, named: boolean) => {
    if (!found.some((socket) => socket.path === path)) found.push({ path, user, named });
  };
  const ownerOf = (path: string) => {
    const byFolder = /\/run\/user\/(\d+)\//.exec(path)?.[1];
    return byFolder === undefined ? host.ownerOf(path) : Number(byFolder);
  };
  const wanted = /^unix:\/\/(.+)$/.exec(environment.CONTAINER_HOST ?? '')?.[1];
  if (wanted) {
    add(wanted, nameOf(ownerOf(wanted) ?? uid), true);
  }
  const rooted = join(host.run, 'podman/podman.sock');
  if (existsSync(rooted)) add(rooted, 'root', false);
  for (const id of list(join(host.run, 'user')).filter((name) => /^\d+$/.test(name))) {
    const path = join(host.run, 'user', id, 'podman/podman.sock');
    if (existsSync(path)) add(path, nameOf(Number(id)), false);
  }
  return found;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function userNames(passwd: string): ReadonlyMap<number, string> {
  try {
    const rows = readFileSync(passwd, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
    return new Map(rows.flatMap(([name, , id]) => (name && id ? [[Number(id), name] as const] : [])));
  } catch {
    return new Map();
  }
}
