import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing, notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

const SHOP = `apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: cart
      command: [sh, -c, 'echo cart: $GREETING; exit 4']
      env: [{name: GREETING, value: hello}]
      livenessProbe: {exec: {command: ['false']}}
`;

describe.skipIf(notRoot() || missing('ip', 'nsenter'))('debug of a pod that crashes', () => {
  const data = temporaryDataDir();
  let podvitals: Podvitals;
  let ports: Awaited<ReturnType<typeof freePorts>>;
  const pods = async () => (await podvitals.command('get', 'pods', '-n', 'shop')).out;

  beforeAll(async () => {
    const file = join(data.path, 'shop.yaml');
    writeFileSync(file, SHOP);
    ports = await freePorts();
    podvitals = await startPodvitals({ dataDir: data.path, ports, halves: 'agent', files: [file] });
    await until('it has crashed', 60_000, async () => /cart .*[1-9] \(/.test(await pods()));
  }, 180_000);
  afterAll(async () => {
    await podvitals?.stop();
    data.remove();
  });

  it('is a copy that sleeps, with its environment and its command to run by hand, and goes with the shell', async () => {
    const script = 'echo "$GREETING from $(hostname)"; exit 7';
    const { code, out, err } = await podvitals.command('debug', 'shop/cart', '--', 'sh', '-c', script);
    expect(out).toMatch(/^hello from cart-debug-[a-z0-9]{5}\n$/);
    expect(code).toBe(7);
    expect(err).toContain("to run by hand: sh -c 'echo cart: $GREETING; exit 4'");
    expect(err).toContain('is removed');
    expect(await pods()).not.toContain('debug');
  }, 120_000);

  it('is one run of its own command without probes', async () => {
    const { code, out, err } = await podvitals.command('debug', '--run', 'shop/cart');
    expect({ code, out }).toEqual({ code: 1, out: 'cart: hello\n' });
    expect(err).toContain('it ended with 4');
    expect(await pods()).not.toContain('debug');
  }, 120_000);

  it("is this host's tools in the pod's network, though no container runs", async () => {
    const { out } = await podvitals.command('debug', '--network', 'shop/cart', '--', 'ip', '-br', 'addr');
    const { out: pod } = await podvitals.command('get', 'pod', 'cart', '-n', 'shop', '-o', 'json');
    expect(out).toContain((JSON.parse(pod) as { status: { podIP: string } }).status.podIP);
  }, 60_000);

  it('is swept by the next agent when nobody could undo it', async () => {
    const left = podvitals.command('debug', 'shop/cart', '--', 'sleep', '600');
    await until('the copy runs', 60_000, async () => /cart-debug-\w+ +1\/1/.test(await pods()));
    await podvitals.kill();
    expect((await left).err).toContain('it ends by its deadline');
    podvitals = await startPodvitals({ dataDir: data.path, ports, halves: 'agent' });
    await until('the copy is gone', 60_000, async () => {
      const all = await pods();
      return /^cart /m.test(all) && !all.includes('debug');
    });
  }, 240_000);
});
