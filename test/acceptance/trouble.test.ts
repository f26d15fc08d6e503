import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snappyEncode } from '../../src/wire/prometheus/snappy.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, type Ports, startPodvitals, until } from '../support/podvitals.ts';
import { writeRequest } from '../support/write-request.ts';

const MIB = 2 ** 20;

describe.skipIf(notRoot())('a collector on a disk of its own', () => {
  let disk: string;
  let ports: Ports;
  let collector: Podvitals | undefined;
  const mount = (...options: readonly string[]) => execFileSync('mount', [...options, disk]);

  beforeEach(async () => {
    disk = mkdtempSync(join(tmpdir(), 'podvitals-trouble-'));
    mount('-t', 'tmpfs', '-o', 'size=24m', 'tmpfs');
    ports = await freePorts();
  });
  afterEach(async () => {
    await collector?.kill();
    collector = undefined;
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  }, 60_000);

  const start = async () => {
    collector = await startPodvitals({ dataDir: disk, ports, halves: 'collector' });
    return collector;
  };
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${ports.collector}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const write = async (name: string, series: number) => {
    const now = Date.now();
    const body = writeRequest(
      Array.from({ length: series }, (_, i) => ({
        labels: [
          ['__name__', name],
          ['n', `${i}-${'x'.repeat(500)}`],
        ],
        samples: [[now, 1]],
      })),
    );
    return fetch(`http://127.0.0.1:${ports.collector}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
      body: Buffer.from(snappyEncode(body)),
    });
  };

  it('that is full: says so and what to do, answers, and goes on by itself once there is room', async () => {
    await start();
    expect((await write('before', 1)).status).toBe(204);
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, new Uint8Array(4 * MIB));
    for (let size = MIB; size >= 4096; )
      try {
        writeFileSync(join(disk, `more-${Math.random()}`), new Uint8Array(size));
      } catch {
        size /= 2;
      }
    const refused = await write('during', 2_000);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.text()).toMatch(/collector\.db has no room to grow: the disk is full .*free space/);
    expect(await ask('/-/ready')).toMatchObject({
      status: 503,
      text: expect.stringMatching(/the disk is full/),
    });
    expect((await ask('/api/v1/query?query=before')).text).toContain('"1"');
    unlinkSync(ballast);
    await until('it takes samples again', 60_000, async () => (await write('after', 1)).status === 204);
    await until('it is ready', 60_000, async () => (await ask('/-/ready')).status === 200);
    expect((await ask('/api/v1/query?query=after')).text).toContain('"1"');
  }, 180_000);

  it('that is read-only: starts, answers, says what to do, and goes on by itself once it can be written', async () => {
    const first = await start();
    expect((await write('before', 1)).status).toBe(204);
    await first.kill();
    // The settings of the next start are written beside the data by this test's own support.
    const config = join(disk, 'podvitals-collector.yaml');
    mount('-o', 'remount,ro');
    collector = await startPodvitals({ dataDir: disk, ports, halves: 'collector', config });
    expect(await ask('/-/ready')).toMatchObject({
      status: 503,
      text: expect.stringMatching(/its disk is read-only.*mount -o remount,rw.*by itself/),
    });
    expect((await ask('/api/v1/query?query=before')).text).toContain('"1"');
    expect((await write('after', 1)).status).toBe(503);
    mount('-o', 'remount,rw');
    await until('it takes samples again', 60_000, async () => (await write('after', 1)).status === 204);
    expect((await ask('/-/ready')).status).toBe(200);
    await collector.kill();
    await start();
    for (const name of ['before', 'after'])
      expect((await ask(`/api/v1/query?query=${name}`)).text).toContain('"1"');
  }, 180_000);

  it('with a file that is none any more: starts with a new one, keeps the old one, and says both', async () => {
    writeFileSync(join(disk, 'collector.db'), Buffer.alloc(20_000, 'z'));
    const { output } = await start();
    const told = /collector\.db was damaged: .*kept at .*collector\.db\.damaged-\d{8}T\d{6}Z/;
    expect(await ask('/-/ready')).toMatchObject({ status: 200, text: expect.stringMatching(told) });
    expect(output()).toMatch(told);
    expect((await write('after', 1)).status).toBe(204);
  }, 180_000);
});
