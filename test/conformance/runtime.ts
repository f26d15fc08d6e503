import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerConfig, ContainerExit, Runtime } from '../../src/agent/pod/runtime/runtime.ts';

/** What a container of the suite is to do; how is each runtime's business. */
export type Behaviour =
  | { readonly kind: 'exits'; readonly exitCode: number }
  | { readonly kind: 'runs' }
  /** Ends with 0 on SIGTERM, once it has printed `ready`: the first process of a PID namespace does not hear it before. */
  | { readonly kind: 'ends-when-asked' }
  /** As that, with 42 on SIGUSR1 and 43 on the third real-time signal. */
  | { readonly kind: 'knows-signals' }
  | { readonly kind: 'ignores-sigterm' }
  | { readonly kind: 'prints'; readonly lines: readonly string[] }
  | { readonly kind: 'cannot-start' };

export interface RuntimeSubject {
  readonly runtime: Runtime;
  /** An image that is here without a pull, from which the suite's containers are made. */
  readonly image: string;
  /** The parts of a config that make a container behave so. */
  config(behaviour: Behaviour): Pick<ContainerConfig, 'command'>;
  /** Lets time pass until `look` gives something; throws after a generous while. */
  until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T>;
  /** Waits for a promise that needs time to pass. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Ends a container from outside by SIGKILL. */
  kill(containerId: string): void;
  /** The runtime of an agent that starts after this one was killed; the subject's own is used no more. */
  successor(): Promise<Runtime>;
  dispose(): Promise<void>;
}

/**
 * What the pod worker counts on in every runtime. Source: the CRI's api.proto (verbs are idempotent, exit codes are
 * 128 + signal), and `src/agent/pod/runtime/runtime.ts`.
 */
export function runtimeConformance(name: string, create: () => Promise<RuntimeSubject>): void {
  describe(`${name} as a runtime`, () => {
    let subject: RuntimeSubject;
    let exits: ContainerExit[];
    let attempt = 0;

    beforeAll(async () => {
      subject = await create();
      exits = [];
      subject.runtime.onExit((exit) => exits.push(exit));
      expect(await subject.runtime.adopt()).toEqual({ sandboxes: [], running: [], exits: [] });
      await sandbox('cart');
    });
    afterAll(() => subject.dispose());

    const sandbox = (podUid: string) =>
      subject.runtime.runSandbox({
        podUid,
        namespace: 'shop',
        name: podUid,
        hostname: podUid,
        hostNetwork: false,
      });
    const start = (behaviour: Behaviour, podUid = 'cart', stopSignal?: string) => {
      const config = subject.config(behaviour);
      return subject.runtime.startContainer({
        podUid,
        name: 'app',
        init: false,
        attempt: attempt++,
        image: subject.image,
        env: [],
        mounts: [],
        ...(stopSignal && { stopSignal }),
        ...config,
      });
    };
    const exitOf = (id: string) => subject.until(() => exits.find(({ containerId }) => containerId === id));

    it('keeps the data of a claim beyond all pods, apart for each namespace', async () => {
      const path = await subject.runtime.persistentVolume('shop', 'orders');
      writeFileSync(join(path, 'order-11'), 'apples');
      await sandbox('clerk');
      await subject.runtime.removeSandbox('clerk');
      expect(await subject.runtime.persistentVolume('shop', 'orders')).toBe(path);
      expect(readFileSync(join(path, 'order-11'), 'utf8')).toBe('apples');
      for (const [namespace, claim] of [
        ['default', 'orders'],
        ['shop', 'order'],
        ['default', 'shop-orders'],
      ] as const)
        expect(readdirSync(await subject.runtime.persistentVolume(namespace, claim))).toEqual([]);
    });

    it('removes the data of a claim when told to, and of no other', async () => {
      const [path, other] = [
        await subject.runtime.persistentVolume('shop', 'stock'),
        await subject.runtime.persistentVolume('default', 'stock'),
      ];
      mkdirSync(join(path, 'fruit'));
      for (const folder of [path, join(path, 'fruit'), other]) writeFileSync(join(folder, 'apples'), '11');
      await subject.runtime.removePersistentVolume('shop', 'stock');
      await subject.runtime.removePersistentVolume('shop', 'stock');
      expect(readdirSync(await subject.runtime.persistentVolume('shop', 'stock'))).toEqual([]);
      expect(readdirSync(await subject.runtime.persistentVolume('default', 'stock'))).toEqual(['apples']);
    });

    it('knows an image that is here, and says ErrImagePull where it cannot pull', async () => {
      expect(await subject.runtime.imageId(subject.image)).toBeTruthy();
      expect(await subject.runtime.imageId('registry.invalid/none:1')).toBeUndefined();
      await expect(subject.runtime.pullImage('registry.invalid/none:1')).rejects.toMatchObject({
        code: 'ErrImagePull',
      });
    });

    it('tells of the start what it was asked for', async () => {
      const started = await start({ kind: 'runs' });
      expect(started).toMatchObject({ podUid: 'cart', name: 'app', attempt: attempt - 1 });
      expect(started.pid).toBeGreaterThan(0);
      expect(started.id).not.toBe('');
      await subject.settle(subject.runtime.stopContainer(started.id, 0));
    });

    it('tells of a death once, with its exit code and times', async () => {
      const started = await start({ kind: 'exits', exitCode: 42 });
      const exit = await exitOf(started.id);
      expect(exit).toMatchObject({ podUid: 'cart', name: 'app', attempt: started.attempt, exitCode: 42 });
      expect(exit.signal).toBeUndefined();
      expect(exit.startedAt).toBe(started.startedAt);
      expect(exit.finishedAt).toBeGreaterThanOrEqual(exit.startedAt);
      await subject.runtime.stopContainer(started.id, 0);
      expect(exits.filter(({ containerId }) => containerId === started.id)).toHaveLength(1);
    });

    it('gives 128 and the signal for a container that was killed', async () => {
      const started = await start({ kind: 'runs' });
      subject.kill(started.id);
      expect(await exitOf(started.id)).toMatchObject({ exitCode: 137, signal: 9 });
    });

    it('asks a container to end, and lets it', async () => {
      const started = await start({ kind: 'ends-when-asked' });
      await subject.until(async () => {
        const [line] = await subject.runtime.logs('cart', 'app', started.attempt, {});
        return line?.text === 'ready' || undefined;
      });
      await subject.settle(subject.runtime.stopContainer(started.id, 60_000));
      expect(await exitOf(started.id)).toMatchObject({ exitCode: 0 });
    });

    // Source: CRI api.proto, ContainerConfig.stop_signal; kubernetes/enhancements, KEP-4960
    it('asks by the signal that a container has for that', async () => {
      for (const [stopSignal, exitCode] of [
        ['SIGUSR1', 42],
        ['SIGRTMIN+3', 43],
      ] as const) {
        const started = await start({ kind: 'knows-signals' }, 'cart', stopSignal);
        expect(started.stopSignal).toBe(stopSignal);
        await subject.until(async () => {
          const [line] = await subject.runtime.logs('cart', 'app', started.attempt, {});
          return line?.text === 'ready' || undefined;
        });
        await subject.settle(subject.runtime.stopContainer(started.id, 60_000));
        expect(await exitOf(started.id)).toMatchObject({ exitCode });
      }
    });

    it('kills a container that does not end within its grace', async () => {
      const started = await start({ kind: 'ignores-sigterm' });
      await subject.settle(subject.runtime.stopContainer(started.id, 300));
      const exit = await exitOf(started.id);
      expect(exit).toMatchObject({ exitCode: 137 });
      expect(exit.finishedAt - exit.startedAt).toBeGreaterThanOrEqual(300);
    });

    it('holds a container still and lets it go on, and twice is once', async () => {
      const started = await start({ kind: 'ends-when-asked' });
      await subject.runtime.pauseContainer(started.id);
      await subject.runtime.pauseContainer(started.id);
      expect(exits.some(({ containerId }) => containerId === started.id)).toBe(false);
      await subject.runtime.unpauseContainer(started.id);
      await subject.runtime.unpauseContainer(started.id);
      await subject.settle(subject.runtime.stopContainer(started.id, 0));
      await exitOf(started.id);
      await subject.runtime.unpauseContainer(started.id);
      await expect(subject.runtime.pauseContainer(started.id)).rejects.toMatchObject({
        code: 'CONTAINER_NOT_RUNNING',
      });
    });

    it('does nothing to stop or remove what it does not know', async () => {
      await subject.runtime.stopContainer('none', 0);
      await subject.runtime.removeContainer('none');
      await subject.runtime.removeSandbox('none');
    });

    it('refuses what cannot be started with RunContainerError', async () => {
      await expect(start({ kind: 'cannot-start' })).rejects.toMatchObject({ code: 'RunContainerError' });
    });

    it('refuses a container without a sandbox', async () => {
      await expect(start({ kind: 'runs' }, 'none')).rejects.toMatchObject({ code: 'CreateContainerError' });
    });

    it('makes a sandbox once', async () => {
      const [first, second] = [await sandbox('twice'), await sandbox('twice')];
      expect(second.ip).toBe(first.ip);
      await subject.runtime.removeSandbox('twice');
      await subject.runtime.removeSandbox('twice');
    });

    it('keeps the log of a life when its container is removed', async () => {
      const started = await start({ kind: 'prints', lines: ['eleven', 'twelve'] });
      await exitOf(started.id);
      await subject.runtime.removeContainer(started.id);
      await subject.runtime.removeContainer(started.id);
      const texts = await subject.until(async () => {
        const lines = await subject.runtime.logs('cart', 'app', started.attempt, {});
        return lines.length === 2 ? lines.map(({ text }) => text) : undefined;
      });
      expect(texts).toEqual(['eleven', 'twelve']);
      const [last] = await subject.runtime.logs('cart', 'app', started.attempt, { tail: 1 });
      expect(last).toMatchObject({ stream: 'stdout', text: 'twelve' });
    });

    it('ends what runs in a sandbox that is removed', async () => {
      await sandbox('gone');
      const started = await start({ kind: 'runs' }, 'gone');
      await subject.runtime.removeSandbox('gone');
      await expect(subject.runtime.exec(started.id, ['true'], { timeoutMs: 5000 })).rejects.toThrow();
    });

    it('leaves its pods to the next agent, with the deaths nobody saw', async () => {
      const [lives, dies] = [
        await start({ kind: 'knows-signals' }, 'cart', 'SIGUSR1'),
        await start({ kind: 'runs' }),
      ];
      const next = await subject.successor();
      subject.kill(dies.id);
      const told: ContainerExit[] = [];
      next.onExit((exit) => told.push(exit));
      const adopted = await next.adopt();
      expect(adopted.sandboxes.map(({ podUid }) => podUid)).toEqual(['cart']);
      expect(adopted.running).toContainEqual(lives);
      // It may die while the next agent looks: then it is told like any other death.
      const death = await subject.until(() =>
        [...adopted.exits, ...told].find(({ containerId }) => containerId === dies.id),
      );
      expect(death).toMatchObject({ exitCode: 137, attempt: dies.attempt });
      await subject.until(async () => {
        const [line] = await next.logs('cart', 'app', lives.attempt, {});
        return line?.text === 'ready' || undefined;
      });
      await subject.settle(next.stopContainer(lives.id, 60_000));
      expect(
        await subject.until(() => told.find(({ containerId }) => containerId === lives.id)),
      ).toMatchObject({ exitCode: 42 });
      await next.removeSandbox('cart');
      await next.close();
    });
  });
}
