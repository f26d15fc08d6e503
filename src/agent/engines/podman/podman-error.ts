import { CodedError } from '../../../util/coded-error.ts';

/**
 * What can go wrong between us and a Podman service. `PODMAN_NOT_FOUND`, `PODMAN_CONFLICT` and `PODMAN_FAILED` carry
 * Podman's own message; the others say what to do about the socket.
 */
export type PodmanErrorCode =
  | 'PODMAN_SOCKET_MISSING'
  | 'PODMAN_PERMISSION_DENIED'
  | 'PODMAN_NOT_LISTENING'
  | 'PODMAN_NOT_PODMAN'
  | 'PODMAN_API_TOO_OLD'
  | 'PODMAN_BAD_ANSWER'
  | 'PODMAN_TIMEOUT'
  | 'PODMAN_CONNECTION_LOST'
  | 'PODMAN_NOT_FOUND'
  | 'PODMAN_CONFLICT'
  | 'PODMAN_FAILED';

export const podmanError = (
  code: PodmanErrorCode,
  message: string,
  options?: ConstructorParameters<typeof CodedError>[2],
) => new CodedError(code, message, options);

const SYSTEM_ERRORS: Readonly<Record<string, (socket: string) => readonly [PodmanErrorCode, string]>> = {
  ENOENT: (socket) => [
    'PODMAN_SOCKET_MISSING',
    `${socket} does not exist: start it with \`systemctl enable --now podman.socket\` (of a user: \`systemctl --user …\`), or \`podman system service --time=0 unix://${socket}\``,
  ],
  EACCES: (socket) => [
    'PODMAN_PERMISSION_DENIED',
    `${socket} may not be opened by this user: run podvitals as root, or as the user whose Podman it is`,
  ],
  ECONNREFUSED: (socket) => [
    'PODMAN_NOT_LISTENING',
    `nobody listens on ${socket}: \`systemctl status podman.socket\` says why, or \`podman system service --time=0 unix://${socket}\` starts it`,
  ],
};

/** What the operating system said about a connection. */
export function connectionError(socket: string, error: unknown): CodedError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const known = SYSTEM_ERRORS[code]?.(socket);
  if (known) return podmanError(known[0], known[1], { cause: error });
  return podmanError('PODMAN_CONNECTION_LOST', `Podman at ${socket} broke off: ${message}`, { cause: error });
}

const MOST_MESSAGE = 1024;

/** What an answer of 400 or more says, in Podman's words: `{"cause", "message", "response"}`. */
export function answerError(what: string, status: number, body: string): CodedError {
  const said = messageIn(body) ?? `status ${status}`;
  const code =
    status === 404 ? 'PODMAN_NOT_FOUND' : status === 409 ? 'PODMAN_CONFLICT' : ('PODMAN_FAILED' as const);
  return podmanError(code, `${what}: ${said.slice(0, MOST_MESSAGE)}`, { status });
}

function messageIn(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === 'string' && message !== '' ? message : undefined;
  } catch {
    return undefined;
  }
}
