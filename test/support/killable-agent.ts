import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ContainerExit, Runtime } from '../../src/agent/pod/runtime/runtime.ts';
import type { Owner } from './debris.ts';

type Verb = Exclude<keyof Runtime, 'name' | 'onExit' | 'followLogs'>;

/** A process runtime in a process of its own, to be killed at any moment. */
export interface KillableAgent {
  readonly pid: number;
  readonly exits: readonly ContainerExit[];
  call<V extends Verb>(verb: V, ...args: Parameters<Runtime[V]>): Promise<Awaited<ReturnType<Runtime[V]>>>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

interface Answer {
  readonly ready?: true;
  readonly exit?: ContainerExit;
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** Starts it; `as` another user where given, in `cgroups` (files a process writes `0` to) where given. */
export async function startKillableAgent(
  owner: Owner,
  as: { uid?: number; gid?: number; cgroups?: readonly string[] } = {},
): Promise<KillableAgent> {
  const script = join(import.meta.dirname, 'runtime-agent.ts');
  const child: ChildProcess = fork(script, [owner.dataDir, owner.cgroupParent], {
    ...startedBy(as),
    env: { PATH: process.env.PATH },
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const exits: ContainerExit[] = [];
  const ready = Promise.withResolvers<void>();
  let asked = 0;
  child.on('message', (answer: Answer) => {
    if (answer.ready) ready.resolve();
    if (answer.exit !== undefined) exits.push(answer.exit);
    if (answer.id === undefined) return;
    const question = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) question?.resolve(answer.result);
    else question?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  });
  child.once('exit', (code, signal) => {
    const gone = new Error(`the agent is gone: ${signal ?? `exit code ${code}`}`);
    ready.reject(gone);
    for (const question of waiting.values()) question.reject(gone);
  });
  await ready.promise;
  return {
    pid: child.pid!,
    exits,
    call(verb, ...args) {
      asked += 1;
      const question = Promise.withResolvers<unknown>();
      waiting.set(asked, question);
      child.send({ id: asked, verb, args });
      return question.promise as Promise<never>;
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function startedBy({ uid, gid, cgroups }: { uid?: number; gid?: number; cgroups?: readonly string[] }) {
  const user = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  if (cgroups === undefined) return { execArgv: [], ...user };
  // Root joins, then gives itself up.
  const joins = cgroups.map((file) => `echo 0 > '${file}' || exit 125`).join('\n');
  const become = `exec setpriv --reuid=${uid} --regid=${gid} --clear-groups -- '${process.execPath}' "$@"`;
  return { execPath: '/bin/sh', execArgv: ['-c', `${joins}\n${become}`, 'sh'] };
}
