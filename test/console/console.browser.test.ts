import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser, visitPage } from '../support/browser.ts';
import { FAINT_TEXT } from '../support/faint-text.ts';
import { missing } from '../support/parts.ts';
import { eventRecord, life, type PodStory, podRecord, podRef, rfc3339 } from '../support/shop-records.ts';
import { startShopServer } from '../support/shop-server.ts';

const root = resolve(import.meta.dirname, '../..');
const CART = '/pods/shop/cart-7b9c6d4f5-q8w2e';
const WORKER = '/pods/shop/worker-84c5d7f6b-j3n5r';
const PAGES = ['/', CART, WORKER, '/alerts', '/incidents', '/dashboards', '/dashboards/podvitals-executive'];

type Shop = Awaited<ReturnType<typeof startShopServer>>;

describe.skipIf(missing('chromium'))('the console', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-console-'));
  const shops: Shop[] = [];
  let browser: TestBrowser;
  const complaints: string[] = [];

  beforeAll(async () => {
    await build({
      root: join(root, 'src/console'),
      configFile: join(root, 'src/console/vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder },
    });
    browser = await openBrowser({ viewport: { width: 1280, height: 900 } });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const page of browser.context.pages()) await page.close();
    for (const { server } of shops.splice(0)) await server.close();
    // Anything the browser refused, by the content security policy or otherwise, is a fault of the page.
    expect(complaints.splice(0)).toEqual([]);
  });

  async function shop(options: Parameters<typeof startShopServer>[0] = {}): Promise<Shop> {
    const started = await startShopServer({ folder, ...options });
    shops.push(started);
    return started;
  }

  const visit = (url: string) => visitPage(browser, url, complaints);

  it('lists pods by workload, those in trouble first, each with its verdict in a line', async () => {
    const page = await visit((await shop()).url);
    await page.waitForSelector('.pod');
    expect(await page.textContent('h1')).toBe('3 of 6 pods need attention.');
    expect(await page.locator('.workload-name').allTextContents()).toEqual([
      'cart',
      'search',
      'worker',
      'web',
    ]);
    expect(await page.locator('.pod .state').allTextContents()).toEqual([
      'CrashLoopBackOff',
      'Runningnot ready',
      'Running',
      'Running',
      'Running',
      'Running',
    ]);
    expect(await page.textContent('.pod-verdict')).toContain('MissingConfig');
    expect(await page.textContent('footer')).toContain(
      'Not enforced here: resources.limits.ephemeral-storage',
    );
    await page.waitForSelector('.spark-line', { state: 'attached' });
    expect(await page.title()).toBe('podvitals');
  });

  it('changes by itself when a pod does', async () => {
    const { url, log } = await shop();
    const page = await visit(url);
    await page.waitForSelector('.line-open');
    const story: PodStory = {
      name: 'web-6d5f7c9b8-new01',
      workload: 'web',
      createdAt: Date.now(),
      state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
    };
    await log.append([podRecord(story)]);
    await page.waitForSelector('text=ErrImagePull');
    await log.append([podRecord({ ...story, at: Date.now() + 1, deleted: true })]);
    await page.waitForSelector('text=ErrImagePull', { state: 'detached' });
  });

  it('says that it is not live when the collector goes, and is live again when it is back', async () => {
    const first = await shop();
    const page = await visit(first.url);
    await page.waitForSelector('.line-open');
    await first.server.close();
    await page.waitForSelector('text=not live, reconnecting');
    await shop({ port: Number(new URL(first.url).port) });
    await page.waitForSelector('.line-open', { timeout: 20_000 });
  });

  it('shows one pod life by life: cause, killer, last words, vital signs, events', async () => {
    const page = await visit(`${(await shop()).url}${WORKER}`);
    await page.waitForSelector('.life');
    expect(await page.textContent('.verdict h2')).toContain('OOMKilled');
    expect(await page.locator('.evidence li').count()).toBe(3);
    expect(await page.locator('.life').count()).toBe(4);
    const newest = page.locator('.life').first();
    expect(await newest.textContent()).toContain('the kernel, out of memory: node (pid 1) at 126Mi');
    expect(await newest.locator('.log').textContent()).toContain('orders in memory');
    expect(await newest.locator('.chart canvas').count()).toBe(2);
    expect(await page.getAttribute('.strip svg', 'aria-label')).toContain('4 lives ended');
    expect(await page.locator('.event').first().textContent()).toContain('Died');
    await page.locator('.life summary').nth(2).click();
    await page.waitForSelector('.life:nth-child(3) .log');
  });

  it('hears of a death on the page of the pod', async () => {
    const { url, log } = await shop();
    const page = await visit(`${url}${CART}`);
    await page.waitForSelector('.life');
    await page.waitForSelector('.line-open');
    const pod = podRef({ name: 'cart-7b9c6d4f5-q8w2e', workload: 'cart', createdAt: 0, state: {} });
    const at = Date.now();
    const died = { attempt: 7, startedAt: at - 200, finishedAt: at, exitCode: 1, reason: 'Error', log: [] };
    await log.append([
      eventRecord(pod, at, 'Died', 'died once more'),
      { kind: 'life', life: life({ pod, ...died }) },
    ]);
    await page.waitForSelector('text=Life 8');
    await page.waitForSelector('text=died once more');
  });

  it('puts a next command on the clipboard exactly as it is shown', async () => {
    const page = await visit(`${(await shop()).url}${CART}`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.click('.next .copy');
    await page.waitForSelector('text=Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      'podvitals logs -n shop cart-7b9c6d4f5-q8w2e --previous',
    );
  });

  it('leads from an alert to its pod and to its runbook', async () => {
    const page = await visit(`${(await shop()).url}/alerts`);
    await page.waitForSelector('.alert');
    expect(await page.textContent('h1')).toBe('2 alerts are firing.');
    expect(await page.locator('.alert h2').allTextContents()).toEqual([
      'PodCrashLooping',
      'PodOOMKilled',
      'PodNotReady',
    ]);
    await page.locator('.alert-links a').first().click();
    await page.waitForURL(
      /\/runbooks\/PodCrashLooping\?namespace=shop&pod=cart-7b9c6d4f5-q8w2e&container=cart&workload=cart$/,
    );
    expect(await page.textContent('h1')).toBe('PodCrashLooping');
    await page.goBack();
    await page.locator('.alert-subject a').first().click();
    await page.waitForURL(`**${CART}`);
    await page.waitForSelector('.verdict');
  });

  it("draws Grafana's dashboards, with variables and a time range kept in the address", async () => {
    const { url } = await shop();
    const page = await visit(`${url}/dashboards`);
    await page.waitForSelector('.cards a');
    expect(await page.locator('.cards h2').allTextContents()).toEqual(['Debug', 'Executive', 'On-call']);
    await page.click('text=On-call');
    await page.waitForSelector('.panel-timeseries canvas');
    await page.waitForSelector('.panel-stat .stat-value');
    await page.waitForSelector('.panel-table td');
    const asked = page.waitForRequest((request) =>
      /query_range.*namespace%3D%7E%22shop%22/.test(request.url()),
    );
    await page.selectOption('select', 'shop');
    await asked;
    await page.click('text=24h');
    await page.waitForURL(/var-namespace=shop&range=24h/);
  });

  it('is used by keyboard: skip to the content, follow a link, open a life', async () => {
    const page = await visit((await shop()).url);
    await page.waitForSelector('.pod');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.locator('.pod-name a').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${CART}`);
    await page.waitForSelector('.life');
    await page.locator('.life summary').nth(1).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('.life:nth-child(2) .log');
  });

  it('says in words that there is nothing, no such pod, no such page', async () => {
    const { url } = await shop({ records: [] });
    const page = await visit(url);
    await page.waitForSelector('text=No pods yet.');
    await page.goto(`${url}/pods/shop/nobody`);
    await page.waitForSelector('text=There is no such pod.');
    await page.goto(`${url}/dashboards/nothing`);
    await page.waitForSelector('text=There is no such dashboard.');
  });

  it('treats names, log lines, messages and commands as text, whatever they hold', async () => {
    const markup = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const at = Date.now();
    const story: PodStory = {
      name: `evil-${markup}`,
      workload: `w${markup}`,
      createdAt: at,
      state: { waiting: { reason: markup, message: markup } },
      restarts: 1,
      verdict: {
        cause: markup,
        failureMode: null,
        confidence: 'likely',
        summary: `javascript:alert(3) ${markup}`,
        evidence: [{ fact: markup, source: markup, at: rfc3339(at) }],
        next: [{ command: `echo '${markup}'`, why: markup }],
      },
    };
    const pod = podRef(story);
    const hostile = life({
      pod,
      attempt: 0,
      startedAt: at - 1000,
      finishedAt: at,
      exitCode: 1,
      reason: markup,
      log: [{ at, stream: 'stdout', text: `\x1b]0;owned\x07${markup}\u202e` }],
    });
    const { url } = await shop({
      records: [podRecord(story), eventRecord(pod, at, 'Died', markup), { kind: 'life', life: hostile }],
    });
    const page = await visit(url);
    await page.waitForSelector('.pod');
    expect(await page.textContent('.pod-name')).toBe(`evil-${markup}`);
    await page.click('.pod-name a');
    await page.waitForSelector('.life .log');
    expect(await page.textContent('.life .log')).toBe(`␛]0;owned␇${markup}<U+202E>\n`);
    expect(await page.textContent('.command code')).toBe(`echo '${markup}'`);
    expect(await page.locator('#console img, #console script').count()).toBe(0);
  });

  describe.each(['light', 'dark'] as const)('in the %s scheme', (scheme) => {
    it.each(PAGES)('%s fits 390 px and is readable', async (path) => {
      const page = await visit('about:blank');
      await page.setViewportSize({ width: 390, height: 800 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(`${(await shop()).url}${path}`);
      await page.waitForSelector('h1');
      await page.waitForLoadState('networkidle').catch(() => {});
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      expect(await page.evaluate(FAINT_TEXT)).toEqual([]);
    });
  });
});
