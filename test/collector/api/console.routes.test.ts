import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { consoleRoutes } from '../../../src/collector/api/console.ts';
import { dashboardRoutes, readDashboards } from '../../../src/collector/api/dashboards.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import { createMemoryEventLog } from '../../support/memory-event-log.ts';
import { podRecord, shopRecords } from '../../support/shop-records.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 30);
const folder = mkdtempSync(join(tmpdir(), 'podvitals-console-'));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>podvitals</title>');
writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {};');

const log = createMemoryEventLog();
await log.append(shopRecords(NOW));
const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
server.app.register(dashboardRoutes(readDashboards(resolve(import.meta.dirname, '../../../dashboards'))));
server.app.register(consoleRoutes({ log, folder, version: '1.2.3' }));
const url = await server.listen();
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = async (path: string) => {
  const answer = await fetch(`${url}${path}`);
  return { code: answer.status, headers: answer.headers, text: await answer.text() };
};

describe('the console', () => {
  it.each([
    '/',
    '/pods',
    '/pods/shop/cart-1',
    '/alerts',
    '/explore',
    '/dashboards',
    '/dashboards/podvitals-debug',
  ])('answers %s with its page', async (path) => {
    const { code, headers, text } = await get(path);
    expect([code, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    expect(text).toContain('<title>podvitals');
  });

  it('lets browsers keep files whose name changes with their content', async () => {
    const { headers } = await get('/assets/index-abc.js');
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('content-type')).toContain('javascript');
  });

  it('serves nothing outside its folder', async () => {
    for (const path of ['/..%2f..%2fpackage.json', '/assets/..%2f..%2f..%2fetc%2fpasswd', '/package.json']) {
      expect((await get(path)).code, path).toBe(404);
    }
  });

  it('says how to build it where it is not built', async () => {
    const unbuilt = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
    unbuilt.app.register(consoleRoutes({ log, folder: join(folder, 'nothing'), version: '1.2.3' }));
    const answer = await unbuilt.app.inject({ url: '/', headers: { host: 'localhost' } });
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('node scripts/setup.mjs');
    await unbuilt.close();
  });

  it('gives pods in one line each, worst first, and what the nodes enforce', async () => {
    const body = JSON.parse((await get('/api/console/pods')).text);
    expect(body.version).toBe('1.2.3');
    expect(body.nodes[0]).toMatchObject({ node: 'thinkpad', level: 'root, cgroup v1 and v2 (hybrid)' });
    expect(body.pods.map((pod: { workload: string }) => pod.workload)).toEqual([
      'cart',
      'search',
      'worker',
      'web',
      'web',
      'web',
    ]);
    expect(body.pods[0]).toMatchObject({
      word: 'CrashLoopBackOff',
      readyContainers: 0,
      containers: 1,
      restarts: 6,
      trouble: 'broken',
      verdict: { cause: 'MissingConfig', confidence: 'certain' },
    });
    expect(body.pods[0]).not.toHaveProperty('object');
  });

  it('gives one pod with its object, also after its deletion', async () => {
    const body = JSON.parse((await get('/api/console/pods/shop/cart-5c8d9-old1x')).text);
    expect(body).toMatchObject({ summary: { word: 'Deleted', deleted: true }, object: { kind: 'Pod' } });
    expect((await get('/api/console/pods/shop/nobody')).code).toBe(404);
  });

  it('tells what changes as it changes', async () => {
    const abort = new AbortController();
    const answer = await fetch(`${url}/api/console/watch`, { signal: abort.signal });
    const changed = {
      name: 'web-9',
      workload: 'web',
      createdAt: NOW,
      state: { waiting: { reason: 'ErrImagePull' } },
    };
    await log.append([podRecord(changed)]);
    let text = '';
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (/^data: .*\n\n/m.test(text)) break;
    }
    abort.abort();
    expect(text).toMatch(/event: pod\ndata: \{.*"word":"ErrImagePull"/);
  });
});

describe('the dashboards', () => {
  it('are listed, and each is the JSON that is committed', async () => {
    const { items } = JSON.parse((await get('/api/dashboards')).text);
    expect(items.map(({ uid }: { uid: string }) => uid)).toEqual([
      'podvitals-debug',
      'podvitals-executive',
      'podvitals-on-call',
    ]);
    const { headers, text } = await get('/dashboards/podvitals-on-call.json');
    expect(headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({ uid: 'podvitals-on-call', schemaVersion: expect.any(Number) });
  });

  it('that are unknown are named as such, with those there are', async () => {
    const { code, text } = await get('/dashboards/nothing.json');
    expect(code).toBe(404);
    expect(JSON.parse(text).message).toContain('there are: podvitals-debug');
  });

  it('that are broken stop the start, by name', () => {
    writeFileSync(join(folder, 'broken.json'), '{"title": "no uid"}');
    expect(() => readDashboards(folder)).toThrow(expect.objectContaining({ code: 'DASHBOARD_INVALID' }));
  });

  it('has the prices of the configuration where it gives them', () => {
    const folder = resolve(import.meta.dirname, '../../../dashboards');
    const of = (prices?: { cpuCoreHour?: number; memoryGiBHour?: number }) => {
      const { json } = readDashboards(folder, prices).find(({ uid }) => uid === 'podvitals-executive')!;
      const { templating } = JSON.parse(json) as {
        templating: { list: { name: string; query: string; current: { value: string } }[] };
      };
      return Object.fromEntries(
        templating.list.map(({ name, query, current }) => [name, [query, current?.value]]),
      );
    };
    const [own, priced] = [of(), of({ cpuCoreHour: 0.5 })];
    expect(priced.cpu_core_hour).toEqual(['0.5', '0.5']);
    expect({ ...priced, cpu_core_hour: own.cpu_core_hour }).toEqual(own);
  });
});
