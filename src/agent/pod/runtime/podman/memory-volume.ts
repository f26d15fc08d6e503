import { mkdirSync, readFileSync } from 'node:fs';
import { runCommand } from '../../../host/command.ts';
import type { MemoryVolume } from '../runtime.ts';

const mountPoints = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]);

/** Puts memory in the place of a folder, for all containers that mount it; nothing where it is already. */
export async function mountMemory(mount: string, volume: MemoryVolume): Promise<void> {
  if (mountPoints().includes(volume.path)) return;
  mkdirSync(volume.path, { recursive: true });
  const options = [
    'nosuid',
    'nodev',
    `mode=${volume.mode.toString(8)}`,
    ...(volume.gid === undefined ? [] : [`gid=${volume.gid}`]),
    ...(volume.sizeBytes === undefined ? [] : [`size=${volume.sizeBytes}`]),
  ];
  await runCommand(mount, ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', volume.path]);
}

/** Gives the memory below `folder` back. */
export async function unmountMemory(umount: string, folder: string): Promise<void> {
  for (const path of mountPoints()) {
    if (path?.startsWith(`${folder}/`)) await runCommand(umount, ['-l', path]).catch(() => undefined);
  }
}
