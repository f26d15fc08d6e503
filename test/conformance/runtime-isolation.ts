import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerConfig, ContainerExit, SandboxConfig } from '../../src/agent/pod/runtime/runtime.ts';
import type { RuntimeSubject } from './runtime.ts';

/**
 * What a manifest's `securityContext`, volumes and namespaces ask of a runtime that runs real commands; the containers
 * have a POSIX shell, `id`, `grep`, `cat`, `dd` and `readlink`. The test double runs none: that it is asked for all of this
 * is test/agent/pod/isolation.story.test.ts.
 *
 * Source: the CRI's api.proto (LinuxContainerSecurityContext, NamespaceOption, Mount, ExecSync);
 * kubernetes/pkg/kubelet/kuberuntime/{security_context,kuberuntime_sandbox_linux}.go;
 * kubernetes/pkg/volume/util/subpath/subpath_linux.go; kubernetes/pkg/volume/emptydir/empty_dir.go
 */
export function runtimeIsolation(name: string, create: () => Promise<RuntimeSubject>): void {
  describe(`${name} isolates containers as asked`, () => {
    let subject: RuntimeSubject;
    let folder: string;
    let attempt = 0;
    const exits: ContainerExit[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'podvitals-mounts-'));
      subject = await create();
      subject.runtime.onExit((exit) => exits.push(exit));
      await subject.runtime.adopt();
      await sandbox('cart');
    });
    afterAll(async () => {
      await subject.dispose();
      rmSync(folder, { recursive: true, force: true });
    });

    const sandbox = (podUid: string, config: Partial<SandboxConfig> = {}) =>
      subject.runtime.runSandbox({
        podUid,
        namespace: 'shop',
        name: podUid,
        hostname: podUid,
        hostNetwork: false,
        ...config,
      });
    const start = (script: string, config: Partial<ContainerConfig> = {}) =>
      subject.runtime.startContainer({
        podUid: 'cart',
        name: 'app',
        init: false,
        attempt: attempt++,
        image: subject.image,
        command: ['sh', '-c', script],
        env: [],
        mounts: [],
        ...config,
      });
    /** The lines a script prints, once it has ended. */
    const run = async (script: string, config: Partial<ContainerConfig> = {}) => {
      const started = await start(script, config);
      await subject.until(() => exits.find(({ containerId }) => containerId === started.id));
      const lines = await subject.runtime.logs(started.podUid, started.name, started.attempt, {});
      return lines.map(({ text }) => text);
    };
    const stop = (id: string) => subject.settle(subject.runtime.stopContainer(id, 0));

    it('runs as the user, group and groups it is given', async () => {
      const security = { uid: 1234, gid: 2345, groups: [3456] };
      const [ids, groups] = await run('echo $(id -u) $(id -g); id -G', { security });
      expect(ids).toBe('1234 2345');
      expect(groups?.split(' ').sort()).toEqual(['2345', '3456']);
    });

    it('gives a user without a group the group 0', async () => {
      expect(await run('echo $(id -u) $(id -g)', { security: { uid: 54_321 } })).toEqual(['54321 0']);
    });

    it('takes capabilities away, and gives back those that are named', async () => {
      const effective = 'grep CapEff /proc/self/status | grep -o "[0-9a-f]*$"';
      const drop = ['ALL'];
      expect(await run(effective, { security: { capabilities: { add: [], drop } } })).toEqual([
        '0000000000000000',
      ]);
      // Bit 10: NET_BIND_SERVICE. Source: capabilities(7)
      expect(
        await run(effective, { security: { capabilities: { add: ['NET_BIND_SERVICE'], drop } } }),
      ).toEqual(['0000000000000400']);
    });

    it('lets no program gain privileges where it must not', async () => {
      const script = 'grep NoNewPrivs /proc/self/status | grep -o "[01]$"';
      expect(await run(script, { security: { noNewPrivileges: true } })).toEqual(['1']);
      expect(await run(script)).toEqual(['0']);
    });

    it('filters system calls as asked, or says that it cannot', async () => {
      const { notEnforced } = subject.runtime.enforcement();
      const cannot = notEnforced.includes('securityContext.seccompProfile');
      const script = 'grep Seccomp: /proc/self/status | grep -o "[0-9]$"';
      expect(await run(script, { security: { seccomp: 'none' } })).toEqual(['0']);
      // 2: a filter. Source: proc(5)
      expect(await run(script)).toEqual([cannot ? '0' : '2']);
    });

    it('has the parameters of the kernel it asks for, in namespaces of its own', async () => {
      const names = ['net.ipv4.ip_unprivileged_port_start', 'net.ipv4.tcp_keepalive_time'];
      const file = (parameter: string) => `/proc/sys/${parameter.replaceAll('.', '/')}`;
      const before = names.map((parameter) => readFileSync(file(parameter), 'utf8'));
      await sandbox('tuned', { sysctls: { [names[0]!]: '81', [names[1]!]: '611' } });
      const lines = await run(`cat ${names.map(file).join(' ')}`, { podUid: 'tuned' });
      expect(lines).toEqual(['81', '611']);
      expect(names.map((parameter) => readFileSync(file(parameter), 'utf8'))).toEqual(before);
      await subject.runtime.removeSandbox('tuned');
    });

    it('has a root file system that cannot be written, where asked, and volumes that can', async () => {
      const source = join(folder, 'writable');
      mkdirSync(source);
      const mounts = [{ source, target: '/data', readOnly: false }];
      const script = '(echo x > /x) 2>/dev/null || echo refused; echo kept > /data/y; cat /data/y';
      expect(await run(script, { security: { readOnlyRoot: true }, mounts })).toEqual(['refused', 'kept']);
      expect(readFileSync(join(source, 'y'), 'utf8')).toBe('kept\n');
    });

    it('mounts folders and files, read-only where asked', async () => {
      const source = join(folder, 'config');
      mkdirSync(source);
      writeFileSync(join(source, 'a'), 'eleven\n');
      const mounts = [
        { source, target: '/etc/shop', readOnly: true },
        { source: join(source, 'a'), target: '/etc/hosts', readOnly: false },
      ];
      const script = 'cat /etc/shop/a /etc/hosts; (echo x > /etc/shop/a) 2>/dev/null || echo refused';
      expect(await run(script, { mounts })).toEqual(['eleven', 'eleven', 'refused']);
    });

    it('mounts no subPath that a link leads out of its volume', async () => {
      const within = join(folder, 'volume');
      mkdirSync(join(within, 'inner'), { recursive: true });
      writeFileSync(join(within, 'inner', 'a'), 'twelve\n');
      symlinkSync('/etc', join(within, 'out'));
      const mount = (path: string) => ({
        mounts: [{ source: join(within, path), target: '/sub', readOnly: true, within }],
      });
      expect(await run('cat /sub/a', mount('inner'))).toEqual(['twelve']);
      await expect(start('cat /sub/passwd', mount('out'))).rejects.toMatchObject({
        code: expect.stringMatching(/^(RunContainerError|CreateContainer(Config)?Error)$/),
      });
    });

    it('has memory for a volume, of its size, that all its containers share', async () => {
      const path = join(subject.runtime.podDirectory('memory'), 'volumes', 'cache');
      mkdirSync(path, { recursive: true });
      await sandbox('memory', { memoryVolumes: [{ path, mode: 0o777, sizeBytes: 1024 * 1024 }] });
      const config = { podUid: 'memory', mounts: [{ source: path, target: '/cache', readOnly: false }] };
      const fill =
        'grep -o "/cache tmpfs" /proc/mounts; echo thirteen > /cache/a; dd if=/dev/zero of=/cache/b bs=1024 count=2048 2>/dev/null || echo full';
      expect(await run(fill, config)).toEqual(['/cache tmpfs', 'full']);
      expect(await run('cat /cache/a', { ...config, name: 'web' })).toEqual(['thirteen']);
      await subject.runtime.removeSandbox('memory');
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(path);
    });

    it('has processes of its own, shared in the pod, or those of the host, as asked', async () => {
      const own = await run('readlink /proc/self/ns/pid');
      expect(own).not.toEqual([readlinkSync('/proc/self/ns/pid')]);

      await sandbox('shared', { shareProcessNamespace: true });
      const first = await start('echo up; exec sleep 4242', { podUid: 'shared' });
      const seen = await run('cat /proc/[0-9]*/cmdline | tr "\\0" " "; echo; echo $$', {
        podUid: 'shared',
        name: 'web',
      });
      expect(seen.join('\n')).toContain('sleep 4242');
      expect(seen.at(-1)).not.toBe('1');
      await stop(first.id);
      await subject.runtime.removeSandbox('shared');

      await sandbox('host', { hostPid: true, hostIpc: true, hostNetwork: true });
      const names = await run('for n in pid ipc net; do readlink /proc/self/ns/$n; done', { podUid: 'host' });
      expect(names).toEqual(['pid', 'ipc', 'net'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`)));
      await subject.runtime.removeSandbox('host');
    });

    it('runs further commands as the same user, with what comes in and goes out', async () => {
      const { id } = await start('exec sleep 1000', { security: { uid: 1234 } });
      expect(await subject.runtime.exec(id, ['id', '-u'], { timeoutMs: 60_000 })).toMatchObject({
        exitCode: 0,
        stdout: '1234\n',
      });
      const session = await subject.runtime.openExec(id, ['sh', '-c', 'cat; echo err >&2; exit 7'], {
        stdin: true,
      });
      const out = session.stdout.toArray();
      const err = session.stderr!.toArray();
      session.stdin!.end('fourteen\n');
      expect(await session.exitCode).toBe(7);
      expect(Buffer.concat(await out).toString()).toBe('fourteen\n');
      expect(Buffer.concat(await err).toString()).toBe('err\n');
      await stop(id);
    });

    it('gives a command a terminal of the size asked for', async () => {
      const { id } = await start('exec sleep 1000');
      const session = await subject.runtime.openExec(id, ['sh', '-c', 'tty; stty size; exit 3'], {
        stdin: true,
        terminal: { rows: 31, columns: 117 },
      });
      let text = '';
      session.stdout.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      expect(await session.exitCode).toBe(3);
      expect(text).toMatch(/\/dev\/(pts\/\d+|console)\r?\n31 117/);
      await stop(id);
    });
  });
}
