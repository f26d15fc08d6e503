import { join } from 'node:path';
import { CodedError } from '../../../../util/coded-error.ts';

/** Where this user's Podman listens: CONTAINER_HOST, root's socket, or the user's own. */
export function podmanSocketOf(env: NodeJS.ProcessEnv, uid: number | undefined): string {
  const { CONTAINER_HOST: named, XDG_RUNTIME_DIR: runtimeDir } = env;
  if (named !== undefined && named !== '') {
    if (named.startsWith('unix://')) return named.slice('unix://'.length);
    throw new CodedError(
      'PODMAN_SOCKET_REMOTE',
      `CONTAINER_HOST=${named}: podvitals runs pods on this host only; name a socket as unix:///run/podman/podman.sock`,
    );
  }
  if (uid === 0) return '/run/podman/podman.sock';
  return join(runtimeDir || `/run/user/${uid ?? 0}`, 'podman/podman.sock');
}
