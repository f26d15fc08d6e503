import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runbookRoutes } from '../../../src/collector/api/runbooks.ts';
import { createRunbooks } from '../../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../../src/collector/runbooks/templates.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { toLabels } from '../../../src/model/labels.ts';
import { createMemoryEventLog } from '../../support/memory-event-log.ts';
import { life, type PodStory, podRecord, podRef, shopRecords } from '../../support/shop-records.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 30);
const alert = (labels: Record<string, string>): Alert => ({
  labels: toLabels(labels),
  annotations: toLabels({ summary: `about ${labels.pod}` }),
  state: 'firing',
  value: 1,
  activeAt: NOW,
});

const log = createMemoryEventLog();
await log.append(shopRecords(NOW));
const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
server.app.register(
  runbookRoutes({
    runbooks: createRunbooks({ templates: readTemplates() }),
    log,
    alerts: () => [
      alert({
        alertname: 'PodCrashLooping',
        namespace: 'shop',
        pod: 'cart-7b9c6d4f5-q8w2e',
        workload: 'cart',
      }),
      alert({ alertname: 'PodCrashLooping', namespace: 'bank', pod: 'vault-1', workload: 'vault' }),
    ],
  }),
);

async function get(url: string, accept?: string) {
  const answer = await server.app.inject({ url, headers: { host: 'localhost', ...(accept && { accept }) } });
  return { code: answer.statusCode, type: String(answer.headers['content-type']), text: answer.body };
}

const CART = '/runbooks/PodCrashLooping?namespace=shop&pod=cart-7b9c6d4f5-q8w2e';

describe('GET /runbooks/<Alert>', () => {
  it('is a page that names the cause, its evidence and the alert', async () => {
    const page = await get(CART, 'text/html');
    expect(page).toMatchObject({ code: 200, type: 'text/html; charset=utf-8' });
    expect(page.text).toContain('<title>PodCrashLooping · podvitals</title>');
    expect(page.text).toContain('MissingConfig');
    expect(page.text).toContain('PAYMENT_URL');
    expect(page.text).toContain('about cart-7b9c6d4f5-q8w2e');
    expect(page.text).not.toContain('vault');
    expect(page.text).not.toMatch(/<script|style=|onerror=/);
  });

  it('takes the worst pod of a workload, also when it is asked for as a pod', async () => {
    expect((await get('/runbooks/PodCrashLooping?namespace=shop&workload=cart')).text).toContain(
      'PAYMENT_URL',
    );
    expect((await get('/runbooks/PodCrashLooping?namespace=shop&pod=cart')).text).toContain('PAYMENT_URL');
  });

  it('is Markdown for those who ask for it', async () => {
    const file = await get(CART.replace('?', '.md?'));
    expect(file.type).toBe('text/markdown; charset=utf-8');
    expect(file.text).toMatch(/^#/);
    expect((await get(CART, 'text/markdown')).text).toBe(file.text);
    expect((await get(CART, 'text/html,text/markdown')).type).toContain('text/html');
  });

  it('is there for every template, with and without a subject that is known', async () => {
    const folder = resolve(import.meta.dirname, '../../../runbooks/templates');
    const alerts = readdirSync(folder).flatMap((file) => /^([A-Z]\w+)\.hbs$/.exec(file)?.[1] ?? []);
    expect(alerts).toContain('PodCrashLooping');
    for (const name of alerts) {
      expect((await get(`/runbooks/${name}`)).code, name).toBe(200);
      expect((await get(`/runbooks/${name}?namespace=nowhere&pod=nobody`)).code, name).toBe(200);
    }
  });

  it('is a 404 for an alert nobody knows, and for a name that is none', async () => {
    expect(JSON.parse((await get('/runbooks/NoSuchAlert')).text)).toMatchObject({
      code: 404,
      reason: 'NotFound',
    });
    expect((await get('/runbooks/..%2f..%2fpackage.json')).code).toBe(404);
    expect((await get('/runbooks/PodCrashLooping?namespace=')).code).toBe(400);
  });

  it('shows what pods wrote as text, in the page and in the document around it', async () => {
    const markup = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
    const story: PodStory = {
      namespace: 'evil',
      name: 'evil-1',
      workload: 'evil',
      createdAt: NOW,
      state: {},
    };
    await log.append([
      podRecord({
        ...story,
        verdict: {
          cause: markup,
          failureMode: null,
          confidence: 'likely',
          summary: `[click](javascript:alert(3)) ${markup}`,
          evidence: [],
          next: [{ command: `echo ${markup}`, why: markup }],
        },
      }),
      {
        kind: 'life',
        life: life({
          pod: podRef(story),
          attempt: 0,
          startedAt: NOW - 1000,
          finishedAt: NOW,
          exitCode: 1,
          reason: 'Error',
          log: [{ at: NOW, stream: 'stdout', text: `\`\`\`\n${markup}` }],
        }),
      },
    ]);
    const page = await get('/runbooks/PodCrashLooping?namespace=evil&pod=evil-1');
    expect(page.text).toContain('&lt;img src=x');
    expect(page.text).not.toMatch(/<img|<script|href="javascript/i);
  });
});
