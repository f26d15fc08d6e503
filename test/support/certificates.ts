import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files made by openssl in a folder: an authority, what it signed for 127.0.0.1 and for a client, and a stranger's. */
export interface Certificates {
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
  /** Another authority, which signed nothing of these. */
  readonly strangerCa: string;
  readonly stranger: KeyPair;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export function makeCertificates(folder: string): Certificates {
  const authority = makeAuthority(folder, 'authority');
  const other = makeAuthority(folder, 'stranger-authority');
  return {
    ca: authority.cert,
    server: sign(folder, authority, 'server', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
    client: sign(folder, authority, 'client', 'extendedKeyUsage=clientAuth'),
    strangerCa: other.cert,
    stranger: sign(folder, other, 'stranger', 'extendedKeyUsage=clientAuth'),
  };
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeAuthority(folder: string, name: string): KeyPair {
  const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    pair.key,
    '-out',
    pair.cert,
  );
  return pair;
}

function sign(folder: string, authority: KeyPair, name: string, extension: string): KeyPair {
  const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  writeFileSync(extensions, `${extension}\n`);
  openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', request);
  openssl(
    ...['x509', '-req', '-in', request, '-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'],
    ...['-days', '2', '-extfile', extensions, '-out', pair.cert],
  );
  return pair;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
