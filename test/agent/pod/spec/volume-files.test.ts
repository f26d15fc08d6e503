import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomically } from '../../../../src/agent/pod/spec/atomic-files.ts';
import { composeHostsFile } from '../../../../src/agent/pod/spec/hosts-file.ts';
import { composeResolverFile } from '../../../../src/agent/pod/spec/resolver-file.ts';
import { resolveSubPath } from '../../../../src/agent/pod/spec/sub-path.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-volume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (path: string, text: string, mode = 0o644) => ({ path, content: Buffer.from(text), mode });

// Source: kubernetes/pkg/volume/util/atomic_writer.go
describe('the files of a volume that is made of objects', () => {
  it('change together, by one link, and only when they differ', () => {
    expect(writeAtomically(folder, [file('a', '11'), file('deep/b', '12', 0o400)])).toBe(true);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('11');
    expect(statSync(join(folder, 'deep/b')).mode & 0o777).toBe(0o400);
    expect(writeAtomically(folder, [file('a', '11'), file('deep/b', '12', 0o400)])).toBe(false);
    expect(writeAtomically(folder, [file('a', '13'), file('c', '14')])).toBe(true);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('13');
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(['a', 'c']);
    expect(readdirSync(folder).filter((name) => name.startsWith('..'))).toHaveLength(2);
  });
});

// Source: kubernetes/pkg/volume/util/subpath/subpath_linux.go
describe('a subPath', () => {
  it('is made where it is not there, and may go over links that stay inside', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    expect(resolveSubPath(folder, 'link/new/deep', true)).toBe(join(folder, 'real/new/deep'));
    expect(statSync(join(folder, 'real/new/deep')).isDirectory()).toBe(true);
    expect(() => resolveSubPath(folder, 'none', false)).toThrow('is not in the volume');
  });

  it.each(['out/x', 'out', '../x'])('leads not out of its volume: %s', (path) => {
    symlinkSync('/etc', join(folder, 'out'));
    writeFileSync(join(folder, 'plain'), '');
    expect(() => resolveSubPath(folder, path, true)).toThrow(/leads out|must not contain/);
  });
});

// Source: kubernetes/pkg/kubelet/kubelet_pods.go, managedHostsFileContent; network/dns/dns.go, appendDNSConfig
describe('the files of a pod', () => {
  it('name it, its aliases and Services', () => {
    const text = composeHostsFile({
      hostname: 'cart',
      domain: 'shop.default.svc.cluster.local',
      ip: '10.1.2.3',
      aliases: [{ ip: '192.0.2.11', hostnames: ['till', 'desk'] }],
      services: [{ ip: '10.1.2.4', names: ['web', 'web.shop'] }],
    });
    expect(text).toMatch(/^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
    expect(text).toContain('\n10.1.2.3\tcart.shop.default.svc.cluster.local\tcart\n');
    expect(text).toContain('\n# Entries added by HostAliases.\n192.0.2.11\ttill\tdesk\n');
    expect(text).toContain('\n# Names of Services.\n10.1.2.4\tweb\tweb.shop\n');
  });

  it('resolve as dnsPolicy and dnsConfig say', () => {
    const host = 'nameserver 192.0.2.1\nsearch a.example\noptions ndots:1 rotate\n';
    const dnsConfig = {
      nameservers: ['192.0.2.2'],
      searches: ['b.example'],
      options: [{ name: 'ndots', value: '5' }],
    };
    expect(composeResolverFile({ dnsConfig }, host)).toBe(
      'search a.example b.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions rotate ndots:5\n',
    );
    expect(composeResolverFile({ dnsPolicy: 'None', dnsConfig }, host)).toBe(
      'search b.example\nnameserver 192.0.2.2\noptions ndots:5\n',
    );
  });
});
