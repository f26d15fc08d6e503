import { describe, expect, it } from 'vitest';
import { createDenialWatch, parseDenial } from '../../../src/agent/stats/denial-watch.ts';

const APPARMOR =
  '5,9,1,-;audit: type=1400 audit(1764.1:72): apparmor="DENIED" operation="open" profile="cart" name="/etc/shop.key" pid=11 comm="cat" requested_mask="r"\n';
const SELINUX =
  '5,9,2,-;audit: type=1400 audit(1764.2:73): avc:  denied  { name_bind } for  pid=12 comm="nginx" src=81 scontext=a tcontext=b tclass=tcp_socket permissive=0\n';
const SECCOMP =
  '5,9,3,-;audit: type=1326 audit(1764.3:74): auid=4294967295 uid=0 gid=0 ses=1 pid=13 comm="python3" exe="/usr/bin/python3" sig=31 arch=c000003e syscall=83 compat=0\n';

describe('a denial of a security module', () => {
  it('is told by who denied what to which process', () => {
    expect(parseDenial(APPARMOR)).toEqual({
      pid: 11,
      denial: { by: 'AppArmor', what: 'open /etc/shop.key' },
    });
    expect(parseDenial(SELINUX)).toEqual({
      pid: 12,
      denial: { by: 'SELinux', what: 'name_bind tcp_socket' },
    });
    expect(parseDenial(SECCOMP)).toEqual({ pid: 13, denial: { by: 'seccomp', what: 'system call 83' } });
  });
  it('is believed of the kernel alone', () => {
    expect(parseDenial(APPARMOR.replace('5,', '13,'))).toBeUndefined();
    expect(parseDenial('5,9,1,-;cart says apparmor="DENIED" pid=11')).toBeUndefined();
  });
  it('belongs to the life of the process it names', () => {
    const queue = [[APPARMOR, SELINUX]];
    const watch = createDenialWatch({ read: () => queue.shift() ?? [], close() {} });
    watch.started('a', 11);
    watch.started('b', 14);
    expect(watch.ended('a')?.by).toBe('AppArmor');
    expect(watch.ended('b')).toBeUndefined();
  });
});
