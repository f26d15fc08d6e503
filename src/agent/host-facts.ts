import { readFileSync, statfsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** Size of the file system a folder lies on. */
export function diskBytesOf(folder: string): number {
  const { bsize, blocks } = statfsSync(folder);
  return bsize * blocks;
}

/** `Debian GNU/Linux 12 (bookworm)`; empty where nothing says. Source: os-release(5) */
export function osImage(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** The address others reach this host by: the first that is neither loopback nor link-local. */
export function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(
    ({ internal, family, address }) => !internal && family === 'IPv4' && !address.startsWith('169.254.'),
  );
  return outward?.address ?? '127.0.0.1';
}
