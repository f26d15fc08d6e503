import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

/** What qemu boots. */
export interface MachineImage {
  readonly kernel: string;
  readonly initrd: string;
}

const MODULES = ['virtio_pci', '9p', '9pnet_virtio', 'overlay', 'veth', 'bridge', 'crc32c_generic'];
const MODULE_FOLDERS = [
  'drivers/virtio',
  'drivers/net',
  'net/9p',
  'net/bridge',
  'net/llc',
  'net/802',
  'fs/9p',
  'fs/netfs',
  'fs/fscache',
  'fs/overlayfs',
  'crypto',
];

const text = (command: string, args: readonly string[], cwd?: string) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });

/** Makes the image of Debian's kernel in `cache`, or takes the one of the same version made before. */
export function machineImage(cache: string): MachineImage {
  const name = /Depends: (linux-image-\S+)/.exec(text('apt-cache', ['depends', 'linux-image-amd64']))?.[1];
  if (name === undefined) throw new Error('apt knows no linux-image-amd64; run apt-get update');
  const folder = join(cache, name);
  const image = { kernel: join(folder, 'vmlinux'), initrd: join(folder, 'initrd.gz') };
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'making-'));
  try {
    if (!existsSync(folder)) {
      const kernel = fetchKernel(name, fresh);
      mkdirSync(join(fresh, 'image'));
      renameSync(kernel, join(fresh, 'image', 'vmlinux'));
      cpSync(join(fresh, 'lib'), join(fresh, 'image', 'lib'), { recursive: true });
      renameSync(join(fresh, 'image'), folder);
    }
    // Made each time: it holds the scripts beside this file.
    writeFileSync(image.initrd, packInitrd(join(folder, 'lib'), join(fresh, 'initrd')));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return image;
}

/** Downloads the package without installing it, and unpacks kernel and modules into `folder`. */
function fetchKernel(name: string, folder: string): string {
  text('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '-qq', name], folder);
  const [deb] = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  const wanted = MODULE_FOLDERS.map((part) => `./lib/modules/*/kernel/${part}/*`);
  const tar = execFileSync('dpkg', ['--fsys-tarfile', deb!], { cwd: folder, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '--wildcards', './boot/vmlinuz-*', ...wanted], { cwd: folder, input: tar });
  const [packed] = readdirSync(join(folder, 'boot'));
  const kernel = join(folder, 'vmlinux');
  writeFileSync(kernel, unpackKernel(readFileSync(join(folder, 'boot', packed!))));
  return kernel;
}

/**
 * The kernel proper: emulated, it would take long to unpack itself.
 * Source: Documentation/arch/x86/boot.rst, setup_sects, payload_offset and payload_length.
 */
function unpackKernel(bzImage: Buffer): Buffer {
  const start = (bzImage[0x1f1]! + 1) * 512 + bzImage.readUInt32LE(0x248);
  // The last four bytes are its size.
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4);
  return execFileSync('xz', ['-dc'], { input: payload, maxBuffer: 1 << 28 });
}

/** An initrd of busybox, the modules and `init.sh`; gzipped cpio. */
function packInitrd(lib: string, folder: string): Buffer {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'modules'));
  cpSync('/bin/busybox', join(folder, 'bin/busybox'), { dereference: true });
  cpSync(join(import.meta.dirname, 'init.sh'), join(folder, 'init'));
  const files = new Map(
    readdirSync(lib, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ko'))
      .map((file) => [moduleName(file), join(lib, file)]),
  );
  const ordered = inOrder(files, MODULES);
  for (const file of ordered) cpSync(file, join(folder, 'modules', basename(file)));
  writeFileSync(join(folder, 'modules/order'), ordered.map((file) => `${basename(file)}\n`).join(''));
  return execFileSync('sh', ['-c', 'chmod 755 init && find . | cpio -o -H newc --quiet | gzip -1'], {
    cwd: folder,
    maxBuffer: 1 << 28,
  });
}

const moduleName = (file: string) => basename(file, '.ko').replaceAll('-', '_');

/** Files of the modules asked for, each after those it depends on; what is built in has no file. */
function inOrder(files: ReadonlyMap<string, string>, wanted: readonly string[]): readonly string[] {
  const ordered = new Set<string>();
  const add = (name: string) => {
    const file = files.get(name);
    if (file === undefined || ordered.has(file)) return;
    const depends = /\0depends=([^\0]*)\0/.exec(readFileSync(file, 'latin1'))?.[1] ?? '';
    for (const other of depends.split(',').filter(Boolean)) add(other.replaceAll('-', '_'));
    ordered.add(file);
  };
  for (const name of wanted) add(name);
  return [...ordered];
}
