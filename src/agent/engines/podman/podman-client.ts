import type { LogLine } from '../../../model/life.ts';
import {
  type ContainerInspection,
  containerInspection,
  containerList,
  type ListedContainer,
  type ListedPod,
  type PodInspection,
  podInspection,
  podList,
} from './answers.ts';
import { createConnection, type PodmanConnection } from './connection.ts';
import { type FollowEventsOptions, followEvents } from './event-stream.ts';
import { createLogFrames } from './log-stream.ts';
import { podmanError } from './podman-error.ts';

/** One Podman, asked and followed. Decides nothing; every failure is a CodedError `PODMAN_*`. */
export interface PodmanClient extends PodmanConnection {
  /** That it is a Podman new enough, and its version. @throws `PODMAN_NOT_PODMAN`, `PODMAN_API_TOO_OLD`. */
  check(): Promise<string>;
  pods(): Promise<readonly ListedPod[]>;
  pod(id: string): Promise<PodInspection>;
  /** All of them, infra containers included, running or not. */
  containers(): Promise<readonly ListedContainer[]>;
  container(id: string): Promise<ContainerInspection>;
  /** Lines of all the container's lives, oldest first; with `signal`, from now on until it ends. */
  logs(
    id: string,
    options: {
      readonly tail?: number;
      readonly sinceMs?: number;
      readonly untilMs?: number;
      readonly follow?: boolean;
      readonly signal?: AbortSignal;
    },
    onLine: (line: LogLine) => void,
  ): Promise<void>;
  followEvents(options: FollowEventsOptions): Promise<void>;
}

/** The REST API whose shape is spoken here came with Podman 4. */
const LEAST_MAJOR = 4;

export function createPodmanClient(socket: string): PodmanClient {
  const connection = createConnection(socket);
  return {
    ...connection,
    async check() {
      const version = (await connection.ping())['libpod-api-version'];
      if (version === undefined)
        throw podmanError(
          'PODMAN_NOT_PODMAN',
          `who answers on ${socket} is not Podman: point CONTAINER_HOST at Podman's own socket`,
        );
      if (!(Number.parseInt(version, 10) >= LEAST_MAJOR))
        throw podmanError(
          'PODMAN_API_TOO_OLD',
          `Podman at ${socket} speaks API ${version}; podvitals needs Podman ${LEAST_MAJOR}.0 or newer`,
        );
      return version;
    },
    pods: () => connection.ask({ path: '/pods/json' }, podList),
    pod: (id) => connection.ask({ path: `/pods/${encodeURIComponent(id)}/json` }, podInspection),
    containers: () => connection.ask({ path: '/containers/json', query: { all: true } }, containerList),
    container: (id) =>
      connection.ask({ path: `/containers/${encodeURIComponent(id)}/json` }, containerInspection),
    logs: (id, { tail, sinceMs, untilMs, follow, signal }, onLine) =>
      connection.stream(
        {
          path: `/containers/${encodeURIComponent(id)}/logs`,
          query: {
            stdout: true,
            stderr: true,
            timestamps: true,
            follow,
            tail: tail === undefined ? undefined : String(tail),
            since: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString(),
            until: untilMs === undefined ? undefined : new Date(untilMs).toISOString(),
          },
          ...(signal ? { signal } : {}),
        },
        createLogFrames(onLine).push,
      ),
    followEvents: (options) => followEvents(connection, options),
  };
}
