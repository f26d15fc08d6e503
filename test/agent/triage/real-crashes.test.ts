import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { findPart } from '../../support/parts.ts';
import { deathOf } from './death-story.ts';

/** Lets a program really die, and diagnoses it from its own last words. */
function verdictOf(command: string, args: readonly string[]) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
    timeout: 20_000,
  });
  const exitCode = status ?? (signal === 'SIGSEGV' ? 139 : 134);
  return diagnoseDeath(deathOf({ log: `${stdout}${stderr}`, life: { exitCode } }));
}
const node = (script: string) => verdictOf(process.execPath, ['-e', script]);
const shell = (script: string) => verdictOf('sh', ['-c', script]);

describe('a real Node process that', () => {
  it('wants a variable', () => {
    const verdict = verdictOf(process.execPath, [
      resolve(import.meta.dirname, '../../../examples/shop/cart.mjs'),
    ]);
    expect(verdict).toMatchObject({ cause: 'MissingConfig', failureMode: 'F1', confidence: 'certain' });
    expect(verdict.summary).toContain('PAYMENT_URL');
  });
  it('wants a file', () => {
    const verdict = node("require('node:fs').readFileSync('/etc/shop/missing.yaml')");
    expect(verdict.cause).toBe('MissingConfig');
    expect(verdict.summary).toContain('/etc/shop/missing.yaml');
  });
  it('cannot parse its settings', () => expect(node('JSON.parse(\'{"port":}\')').cause).toBe('AppError'));
  it('is given a flag it does not know', () =>
    expect(verdictOf(process.execPath, ['--max-old-spice']).cause).toBe('AppError'));
  it('throws', () => {
    const verdict = node('undefined.price');
    expect(verdict.cause).toBe('AppError');
    expect(verdict.summary).toContain('price');
  });
  it('rejects', () => expect(node("Promise.reject(new Error('no plan'))").cause).toBe('AppError'));
  it('finds nobody at a port', () => {
    const verdict = node("require('node:net').connect(1, '127.0.0.1')");
    expect(verdict.cause).toBe('DependencyRefused');
    expect(verdict.summary).toContain('127.0.0.1:1');
  });
  it('finds its port taken', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    try {
      const verdict = node(`require('node:net').createServer().listen(${port}, '127.0.0.1')`);
      expect(verdict.cause).toBe('PortInUse');
      expect(verdict.summary).toContain(String(port));
    } finally {
      server.close();
    }
  });
  it('writes to a full disk', () => {
    expect(node("require('node:fs').writeFileSync('/dev/full', 'x')").cause).toBe('DiskFull');
  });
  it('fills its heap', () => {
    const verdict = verdictOf(process.execPath, [
      '--max-old-space-size=20',
      '-e',
      'const a = []; for (;;) a.push(new Array(1000).fill(1))',
    ]);
    expect(verdict.cause).toBe('HeapExhausted');
  });
});

describe('a real shell that', () => {
  it('finds no such command', () => {
    const verdict = shell('shop-server --port 80');
    expect(verdict).toMatchObject({ cause: 'CommandNotFound', confidence: 'certain' });
    expect(verdict.summary).toContain('shop-server');
  });
  it('may not execute a file', () =>
    expect(verdictOf('sh', ['-c', `"${import.meta.filename}"`]).cause).toBe('PermissionDenied'));
  it('wants a variable', () => {
    const verdict = shell('set -u; echo "$QUEUE_NAME"');
    expect(verdict.cause).toBe('MissingConfig');
    expect(verdict.summary).toContain('QUEUE_NAME');
  });
  it('says nothing', () =>
    expect(shell('exit 3')).toMatchObject({ cause: 'Unknown', confidence: 'unknown' }));
});

describe.skipIf(findPart('python3') === undefined && 'python3 is not installed')(
  'a real Python process that',
  () => {
    const python = (script: string) => verdictOf('python3', ['-c', script]);
    it('wants a variable', () => {
      const verdict = python("import os; os.environ['STRIPE_ACCOUNT']");
      expect(verdict.cause).toBe('MissingConfig');
      expect(verdict.summary).toContain('STRIPE_ACCOUNT');
    });
    it('wants a file', () => expect(python("open('/etc/shop/missing.yaml')").cause).toBe('MissingConfig'));
    it('finds nobody at a port', () => {
      expect(python("import socket; socket.create_connection(('127.0.0.1', 1))").cause).toBe(
        'DependencyRefused',
      );
    });
    it('raises', () => expect(python("int('x')").cause).toBe('AppError'));
    it('raises while it handles another error', () => {
      expect(
        python(
          "try:\n  open('/etc/shop/missing')\nexcept OSError as e:\n  raise RuntimeError('cannot start') from e",
        ).cause,
      ).toBe('MissingConfig');
    });
  },
);
