import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectRoutesOptions, objectRoutes } from '../../src/agent/api/objects.ts';
import { controlSocket } from '../../src/app/control-socket.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createStory, type Story } from '../agent/pod/harness.ts';
import { runCommandLine } from './command-line.ts';

/** A story whose objects the command line asks for. */
export interface StoryServer {
  readonly story: Story;
  /** The data folder of commands. */
  readonly folder: string;
  podvitals(...args: readonly string[]): ReturnType<typeof runCommandLine>;
  end(): Promise<void>;
}

/** What `routes` leaves out is not asked for. */
export async function startStoryServer(
  routes: (story: Story) => Partial<ObjectRoutesOptions> = () => ({}),
): Promise<StoryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-story-'));
  const story = await createStory();
  const server = await createHttpServer({ name: 'agent', listen: { socket: controlSocket(folder) } });
  const refuse = () => Promise.reject(new Error('not asked here'));
  await server.app.register(
    objectRoutes({
      apply: refuse,
      list: (kind, namespace) => story.manager.list(kind, namespace),
      delete: refuse,
      logs: refuse,
      followLogs: refuse,
      watch: () => () => undefined,
      clock: story.clock,
      ...routes(story),
    }),
  );
  await server.listen();
  return {
    story,
    folder,
    podvitals: (...args) => runCommandLine(args, { PODVITALS_DATA_DIR: folder }),
    async end() {
      await server.close();
      await story.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
