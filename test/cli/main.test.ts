import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seconds } from '../../src/cli/program.ts';
import { runCommandLine } from '../support/command-line.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const podvitals = (...args: readonly string[]) =>
  runCommandLine(args, { PODVITALS_DATA_DIR: folder, PODVITALS_SERVER: 'http://127.0.0.1:9' });

describe('a time that a command may take', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['1m30s', 90],
    ['0', 0],
  ])('%s', (text, s) => {
    expect(seconds(text)).toBe(s);
  });
  it.each(['soon', '-1', '1.5', ''])('is not %s', (text) => {
    expect(() => seconds(text)).toThrow(/is no time; write 90, 90s or 5m/);
  });
});

describe('the command line', () => {
  it('prints its version and exits 0', async () => {
    const { code, out } = await podvitals('--version');
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
  it('exits 2 for a command that does not exist, and points to help', async () => {
    const { code, err } = await podvitals('frobnicate');
    expect(code).toBe(2);
    expect(err).toContain("unknown command 'frobnicate'");
    expect(err).toContain('podvitals --help');
  });
  it('exits 2 for a resource that does not exist, and names those that do', async () => {
    const { code, err } = await podvitals('get', 'unicorns');
    expect(code).toBe(2);
    expect(err).toContain(
      'there is no resource "unicorns" here; there are pods, deployments, replicasets, statefulsets, daemonsets, controllerrevisions, jobs, cronjobs, services, endpoints, poddisruptionbudgets, priorityclasses, configmaps, secrets',
    );
  });
  it('exits 1 when no agent answers, and says how to start one', async () => {
    const { code, err } = await podvitals('get', 'pods');
    expect(code).toBe(1);
    expect(err).toContain(`no agent answers at ${join(folder, 'agent.sock')}`);
    expect(err).toContain('podvitals up');
    expect(err).not.toMatch(/\n\s+at /);
  });
  it('exits 1 when no collector answers, and says how to name one', async () => {
    const { code, err } = await podvitals('why', 'shop/cart');
    expect(code).toBe(1);
    expect(err).toContain('no collector answers at http://127.0.0.1:9');
    expect(err).toContain('--server');
  });
  it('exits 1 for a manifest that cannot be read, before anything starts', async () => {
    const { code, err } = await podvitals('up', join(folder, 'none.yaml'));
    expect(code).toBe(1);
    expect(err).toContain('cannot read');
    expect(err).toContain('none.yaml');
  });
});
