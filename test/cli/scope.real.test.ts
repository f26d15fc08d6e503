import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { killCgroup, removeCgroup } from '../../src/agent/host/cgroup.ts';
import { readCgroupMounts } from '../../src/agent/host/cgroup-hierarchy.ts';
import { systemClock } from '../../src/util/clock.ts';
import { missing, notRoot } from '../support/parts.ts';
import { freePort } from '../support/podvitals.ts';

/** Asks for more than it may have. */
const GREEDY = `
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  restartPolicy: Never
  containers:
    - name: app
      command: [node, -e, "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1));"]
      resources: {limits: {memory: 96Mi}}
`;
const ROOT = resolve(import.meta.dirname, '../..');
const USER = 61_235;
/** How many times slower than usual this machine is: an emulated one sets it. */
const PATIENCE = Number(process.env.PODVITALS_PATIENCE ?? 1);
const unified = readCgroupMounts().find(({ version }) => version === 2)?.mountPoint;

/**
 * A host of its own, as far as it goes without starting a machine: unified cgroup v2 (whatever controllers it has), and
 * the service manager of a user to whom a part of it was delegated.
 */
const SCRIPT = String.raw`
set -e
mount -t tmpfs tmpfs /run
printf %s "$GREEDY" > /run/greedy.yaml
mkdir -p /run/systemd/system /run/user/$U /run/d /run/cg
mount --bind "$UNIFIED" /run/cg
umount -R -l /sys/fs/cgroup
mount --bind /run/cg /sys/fs/cgroup
# Where this hierarchy has them: limits count then.
for folder in /sys/fs/cgroup /sys/fs/cgroup/$C; do echo '+cpu +memory +pids' > $folder/cgroup.subtree_control || true; done
mkdir /sys/fs/cgroup/$C/shell /sys/fs/cgroup/$C/manager
chown -R $U /sys/fs/cgroup/$C
cp /etc/passwd /run/passwd
echo "pods:x:$U:$U::/run/user/$U:/bin/sh" >> /run/passwd
mount --bind /run/passwd /etc/passwd
chown $U /run/user/$U /run/d
as() { env -i HOME=/run/user/$U XDG_RUNTIME_DIR=/run/user/$U PATH="$PATH" OTEL_TRACES_EXPORTER=none setpriv --reuid=$U --regid=$U --clear-groups "$@"; }
( echo 0 > /sys/fs/cgroup/$C/manager/cgroup.procs; as "$SYSTEMD" --user ) < /dev/null > /run/manager.log 2>&1 &
for turn in $(seq 480); do [ -S /run/user/$U/systemd/private ] && break; sleep 0.25; done
echo 0 > /sys/fs/cgroup/$C/shell/cgroup.procs
cd "$ROOT"
( as ./podvitals agent --data-dir /run/d --agent-listen 127.0.0.1:$PORT ) < /dev/null > /run/agent.log 2>&1 &
for turn in $(seq 960); do grep -q 'is ready' /run/agent.log && break; sleep 0.25; done
cat /run/agent.log
set +e
for pid in $(cat $(find /sys/fs/cgroup/$C/manager -name cgroup.procs)); do
  case $(readlink /proc/$pid/exe) in */node) ;; *) continue ;; esac
  echo "place $(grep ^0: /proc/$pid/cgroup)"
  tr '\0' '\n' < /proc/$pid/environ | grep ^PODVITALS_SCOPE
done
grep -q memory /sys/fs/cgroup/$C/cgroup.controllers || exit 0
as ./podvitals apply -f /run/greedy.yaml --data-dir /run/d
for turn in $(seq 960); do
  as ./podvitals get pod greedy -o json --data-dir /run/d > /run/pod.json
  grep -q '"terminated"' /run/pod.json && break
  sleep 0.25
done
cat /run/pod.json
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

  it('is entered by the agent itself, which then makes its cgroups in it', {
    timeout: 180_000 * PATIENCE,
  }, async () => {
    await promisify(execFile)('mkdir', [cgroup.unified]);
    const words = ['--mount', '--propagation', 'private', 'sh', '-c', SCRIPT];
    const env = {
      PATH: process.env.PATH,
      ROOT,
      GREEDY,
      U: String(USER),
      C: name,
      UNIFIED: unified,
      SYSTEMD: '/lib/systemd/systemd',
      PORT: String(await freePort()),
    };
    // What it starts in the background outlives it, and is killed by its cgroup.
    const { stdout } = await promisify(execFile)('unshare', words, { env, timeout: 150_000 * PATIENCE });
    expect(stdout).toContain('podvitals agent is ready');
    expect(stdout).toMatch(/^pods run here with: uid 61235, cgroup v2, delegated to us/m);
    expect(stdout).toMatch(new RegExp(`^place 0::/${name}/manager/\\S+\\.scope/podvitals/agent$`, 'm'));
    expect(stdout).toContain('PODVITALS_SCOPE=1');
    const limits = readFileSync(join(unified!, 'cgroup.controllers'), 'utf8').includes('memory');
    if (limits) expect(stdout).toMatch(/"terminated": *{[^}]*"exitCode": *137[^}]*"reason": *"OOMKilled"/);
    else expect(stdout).toMatch(/^not enforced on this host: .*resources\.limits\.memory/m);
  });
});
