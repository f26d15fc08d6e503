import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDataFolder } from '../../../src/agent/doctor/data-folder.ts';
import { examineHost } from '../../../src/agent/doctor/doctor.ts';
import {
  checkCgroups,
  checkInotify,
  checkKernelLog,
  checkNamespaces,
  checkNode,
  checkPressure,
} from '../../../src/agent/doctor/kernel.ts';
import { checkPorts } from '../../../src/agent/doctor/ports.ts';
import { checkTools } from '../../../src/agent/doctor/tools.ts';
import { lookForCgroupParent, openCgroupParent } from '../../../src/agent/host/cgroup-parent.ts';
import type { Delegation } from '../../../src/agent/host/delegation.ts';
import { findTools } from '../../../src/agent/host/tool.ts';
import { notRoot } from '../../support/parts.ts';

const CLI = join(import.meta.dirname, '../../../src/cli/main.ts');

describe('podvitals doctor', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pv-doctor-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(notRoot())('finds what the agent would find, and leaves nothing behind', async () => {
    const { enforcement, findings } = await examineHost({ dataDir: folder, ports: [] });
    expect(enforcement.level).toMatch(/^root, /);
    expect(findings.filter(({ status }) => status === 'error')).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    const [looked, opened] = [lookForCgroupParent(), openCgroupParent('podvitals')];
    expect([looked.mode, [...looked.enforces].sort()]).toEqual([opened.mode, [...opened.enforces].sort()]);
  });

  it.skipIf(notRoot())('tells anybody else what is not enforced, and what to do', () => {
    const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CLI, 'doctor'];
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', XDG_STATE_HOME: join(folder, 'state') };
    const { stdout, status } = spawnSync('setpriv', words, { encoding: 'utf8', env, cwd: '/' });
    expect(stdout).toContain('uid 65534');
    expect(stdout).toMatch(/warning {2}namespaces .*\n +-> run as root/);
    // The folder belongs to root.
    expect(stdout).toMatch(/error {4}data folder .*\n +-> choose another: --data-dir FOLDER/);
    expect(status).toBe(1);
  });

  it('names the package of each tool that is missing, and what is lost', () => {
    const { ip: _ip, unshare: _unshare, ...rest } = findTools();
    expect(checkTools(rest)).toEqual([
      {
        name: 'tools',
        status: 'warning',
        found: 'unshare not found: pods have no namespaces of their own',
        remedy: expect.stringContaining('apt-get install util-linux'),
      },
      {
        name: 'tools',
        status: 'warning',
        found: 'ip not found: pods have no address, only loopback',
        remedy: expect.stringContaining('apt-get install iproute2'),
      },
    ]);
    expect(checkTools({})).toMatchObject([{ status: 'error' }]);
  });

  it('tells an old Node.js', () => {
    expect(checkNode('24.12.0').status).toBe('ok');
    expect(checkNode('24.11.1').status).toBe('error');
    expect(checkNode('25.0.0').status).toBe('ok');
  });

  it('tells a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [finding] = await checkPorts([{ what: 'the page', host: '127.0.0.1', port }]);
    expect(finding).toMatchObject({
      status: 'warning',
      found: `taken: 127.0.0.1:${port} for the page (EADDRINUSE)`,
    });
    server.close();
  });

  it('tells what the kernel does not offer', () => {
    const none = join(folder, 'none');
    expect([checkKernelLog(none), checkPressure(none), checkInotify(none)]).toMatchObject([
      { status: 'warning' },
      { status: 'warning' },
      { status: 'warning' },
    ]);
    const cgroups = { mode: 'v2', paths: {}, enforces: new Set(['cpu']), delegates: [] } as const;
    expect(checkCgroups({ user: 'root', cgroups, delegation: { level: 'root' } }).remedy).toContain(
      '+memory +pids',
    );
    const words = ['systemd-run', '--user', '--scope', '-p', 'Delegate=yes', '--'];
    const checked = (delegation: Delegation) => checkCgroups({ user: 'uid 1000', cgroups, delegation });
    expect(checked({ level: 'delegated' }).remedy).toContain('Delegate=cpu');
    expect(checked({ level: 'plain', why: 'no session', remedy: 'log in' })).toMatchObject({
      found: expect.stringContaining('(no session)'),
      remedy: 'log in',
    });
    expect(checked({ level: 'scope', words, userRuntime: '/run/user/1000' })).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('Delegate=yes'),
    });
    expect(checkNamespaces({ user: 'root', namespaces: true, root: 'memory' }).remedy).toContain(
      '--data-dir',
    );
  });

  it('looks at the nearest folder there is', () => {
    expect(checkDataFolder(join(folder, 'a', 'b'))).toMatchObject([{ name: 'data folder' }]);
  });
});
