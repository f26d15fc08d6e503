import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { killCgroup, removeCgroup } from '../../src/agent/host/cgroup.ts';
import { readCgroupMounts } from '../../src/agent/host/cgroup-hierarchy.ts';
import { systemClock } from '../../src/util/clock.ts';
import { missing, notRoot } from '../support/parts.ts';
import { freePort } from '../support/podvitals.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const USER = 61_235;
const unified = readCgroupMounts().find(({ version }) => version === 2)?.mountPoint;

/**
 * A host of its own, as far as it goes without starting a machine: unified cgroup v2 (whatever controllers it has), and
 * the service manager of a user to whom a part of it was delegated.
 */
const SCRIPT = String.raw`
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user/$U /run/d /run/cg
mount --bind "$UNIFIED" /run/cg
umount -R -l /sys/fs/cgroup
mount --bind /run/cg /sys/fs/cgroup
mkdir /sys/fs/cgroup/$C/shell /sys/fs/cgroup/$C/manager
chown -R $U /sys/fs/cgroup/$C
cp /etc/passwd /run/passwd
echo "pods:x:$U:$U::/run/user/$U:/bin/sh" >> /run/passwd
mount --bind /run/passwd /etc/passwd
chown $U /run/user/$U /run/d
as() { env -i HOME=/run/user/$U XDG_RUNTIME_DIR=/run/user/$U PATH="$PATH" OTEL_TRACES_EXPORTER=none setpriv --reuid=$U --regid=$U --clear-groups "$@"; }
( echo 0 > /sys/fs/cgroup/$C/manager/cgroup.procs; as "$SYSTEMD" --user ) < /dev/null > /run/manager.log 2>&1 &
for turn in $(seq 120); do [ -S /run/user/$U/systemd/private ] && break; sleep 0.25; done
echo 0 > /sys/fs/cgroup/$C/shell/cgroup.procs
cd "$ROOT"
( as ./podvitals agent --data-dir /run/d --agent-listen 127.0.0.1:$PORT ) < /dev/null > /run/agent.log 2>&1 &
for turn in $(seq 240); do grep -q 'is ready' /run/agent.log && break; sleep 0.25; done
cat /run/agent.log
set +e
for pid in $(cat $(find /sys/fs/cgroup/$C/manager -name cgroup.procs)); do
  case $(readlink /proc/$pid/exe) in */node) ;; *) continue ;; esac
  echo "place $(grep ^0: /proc/$pid/cgroup)"
  tr '\0' '\n' < /proc/$pid/environ | grep ^PODVITALS_SCOPE
done
exit 0
`;

const noSystemd = () =>
  missing('systemd-run', 'setpriv', 'unshare') ||
  (existsSync('/lib/systemd/systemd') ? false : 'there is no /lib/systemd/systemd');
const noUnified = unified === undefined && 'no unified cgroup hierarchy is mounted';

describe.skipIf(notRoot() || noSystemd() || noUnified)('the scope of a user with a service manager', () => {
  const name = `podvitals-scope-${randomBytes(4).toString('hex')}`;
  const cgroup = { unified: join(unified ?? '/', name) };
  afterEach(async () => {
    await killCgroup(cgroup, systemClock);
    await removeCgroup(cgroup, systemClock);
    expect(existsSync(cgroup.unified)).toBe(false);
  });

  it('is entered by the agent itself, which then makes its cgroups in it', { timeout: 180_000 }, async () => {
    await promisify(execFile)('mkdir', [cgroup.unified]);
    const words = ['--mount', '--propagation', 'private', 'sh', '-c', SCRIPT];
    const env = {
      PATH: process.env.PATH,
      ROOT,
      U: String(USER),
      C: name,
      UNIFIED: unified,
      SYSTEMD: '/lib/systemd/systemd',
      PORT: String(await freePort()),
    };
    // What it starts in the background outlives it, and is killed by its cgroup.
    const { stdout } = await promisify(execFile)('unshare', words, { env, timeout: 150_000 });
    expect(stdout).toContain('podvitals agent is ready');
    expect(stdout).toMatch(/^pods run here with: uid 61235, cgroup v2, delegated to us/m);
    expect(stdout).toMatch(new RegExp(`^place 0::/${name}/manager/\\S+\\.scope/podvitals/agent$`, 'm'));
    expect(stdout).toContain('PODVITALS_SCOPE=1');
  });
});
