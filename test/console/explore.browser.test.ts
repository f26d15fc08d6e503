import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toLabels } from '../../src/model/labels.ts';
import { openBrowser, type TestBrowser, visitPage } from '../support/browser.ts';
import { FAINT_TEXT } from '../support/faint-text.ts';
import { missing } from '../support/parts.ts';
import { createSampleStore } from '../support/sample-store.ts';
import { shopMetrics } from '../support/shop-metrics.ts';
import { podRecord } from '../support/shop-records.ts';
import { startShopServer } from '../support/shop-server.ts';

const root = resolve(import.meta.dirname, '../..');
const MARKUP = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202e';
/** The editor's lines; it lives in a shadow root, which Playwright looks into. */
const EDITOR = '.editor .cm-content';

const explore = (query: Readonly<Record<string, string>>) => `/explore?${new URLSearchParams(query)}`;

describe.skipIf(missing('chromium'))('the Explore page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-explore-'));
  const complaints: string[] = [];
  let browser: TestBrowser;
  let shop: Awaited<ReturnType<typeof startShopServer>>;

  beforeAll(async () => {
    await build({
      root: join(root, 'src/console'),
      configFile: join(root, 'src/console/vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder },
    });
    const store = createSampleStore();
    const now = Math.floor(Date.now() / 15_000) * 15_000;
    for (const pod of ['cart-1', 'web-1', 'web-2', MARKUP]) {
      const labels = { namespace: 'shop', pod };
      const samples = Array.from({ length: 60 }, (_, i) => ({
        t: now - i * 15_000,
        v: 2 ** 20 * (40 + (i % 7)),
      }));
      store.append(toLabels({ __name__: 'container_memory_working_set_bytes', ...labels }), samples);
      store.append(
        toLabels({ __name__: 'pod_ready', ...labels }),
        samples.map(({ t }) => ({ t, v: 1 })),
      );
    }
    const record = podRecord({
      name: 'cart-1',
      workload: 'cart',
      createdAt: now,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      restarts: 1,
      verdict: {
        cause: 'OOMKilled',
        failureMode: null,
        confidence: 'certain',
        summary: 'It ran out of memory.',
        evidence: [
          {
            fact: 'the readings',
            source: 'pod_ready{namespace="shop",pod="cart-1"}',
            at: new Date(now - 600_000).toISOString(),
          },
          { fact: 'the death', source: 'life-1', at: new Date(now).toISOString() },
        ],
        next: [],
      },
    });
    shop = await startShopServer({ folder, records: [record], prometheus: shopMetrics(store.querier) });
    browser = await openBrowser({ viewport: { width: 1280, height: 900 } });
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const page of browser.context.pages()) await page.close();
    // Anything the browser refused, by the content security policy or otherwise, is a fault of the page.
    expect(complaints.splice(0)).toEqual([]);
  });

  const visit = (path: string) => visitPage(browser, shop.url + path, complaints);

  /** Replaces what the editor holds, as someone who selects all of it and types does. */
  async function write(page: Page, text: string): Promise<void> {
    await page.locator(EDITOR).focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  }

  // An editor does not take Enter for a choice in the first moment that choices show: nobody has read them yet.
  async function take(page: Page, choice: string): Promise<void> {
    await page.waitForSelector(
      `.cm-tooltip-autocomplete li[aria-selected]:has-text(${JSON.stringify(choice)})`,
    );
    await page.waitForTimeout(150);
    await page.keyboard.press('Enter');
  }

  const address = (page: Page) => new URL(page.url()).searchParams;

  it('fetches its editor only when it is shown', async () => {
    const page = await visit('/');
    const fetched: string[] = [];
    page.on('request', (request) => fetched.push(request.url()));
    await page.waitForSelector('.pod');
    expect(await page.locator('script[src], link[rel=modulepreload]').count()).toBe(1);
    await page.click('nav >> text=Explore');
    await page.waitForSelector(EDITOR);
    expect(fetched.filter((url) => /assets\/explore-page-.*\.js$/.test(url))).toHaveLength(1);
  });

  it('asks with Ctrl+Enter, draws the series, and keeps the question in the address', async () => {
    const page = await visit('/explore');
    await page.waitForSelector('text=Nothing asked yet.');
    await page.locator(EDITOR).pressSequentially('sum by (pod) (pod_ready)');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.graph canvas');
    expect(address(page).get('expr')).toBe('sum by (pod) (pod_ready)');
    expect(await page.locator('.series li').count()).toBe(4);
    await page.click('text=15m');
    await page.waitForURL(/range=15m/);
    await page.reload();
    await page.waitForSelector('.graph canvas');
    expect(await page.textContent(EDITOR)).toBe('sum by (pod) (pod_ready)');
    await page.goBack();
    await page.waitForURL(/range=1h/);
  });

  it('shows a table at one time, scalars and ranges of samples as well', async () => {
    const page = await visit(explore({ expr: 'pod_ready{pod="web-1"}', view: 'table' }));
    await page.waitForSelector('.result-table tbody td');
    expect(await page.locator('.result-table tbody td').allTextContents()).toEqual([
      'pod_ready{namespace="shop", pod="web-1"}',
      '1',
    ]);
    await write(page, '1 + 1');
    await page.click('.run');
    await page.waitForSelector('.literal');
    expect(await page.textContent('.literal')).toBe('2');
    await write(page, 'pod_ready{pod="web-1"}[10m]');
    await page.click('.run');
    await page.waitForSelector('.timed');
    expect(await page.locator('.timed').count()).toBeGreaterThan(30);
  });

  it('offers names and labels of the store, and takes one by keyboard', async () => {
    const page = await visit('/explore');
    await page.locator(EDITOR).pressSequentially('pod_rea');
    await take(page, 'pod_ready');
    await page.keyboard.type('{po');
    await take(page, 'pod');
    await page.keyboard.type('="web');
    await page.waitForSelector('.cm-tooltip-autocomplete li:has-text("web-2")');
    await page.keyboard.press('Escape');
    expect(await page.textContent(EDITOR)).toBe('pod_ready{pod="web"}');
  });

  it('marks a mistake while it is written, and says it in words with its place when it is asked', async () => {
    const page = await visit('/explore');
    await write(page, 'sum(pod_ready');
    await page.waitForSelector('.cm-lintRange-error');
    await write(page, 'pod_ready +\n"ü" * rate(pod_ready)');
    await page.click('.run');
    await page.waitForSelector('.notice-bad');
    expect(await page.textContent('.notice-title')).toBe('The query cannot be read.');
    expect(await page.textContent('.notice-text')).toMatch(/expected type/);
    expect(await page.textContent('.mistake-place')).toMatch(/^line 2, column \d+$/);
    expect(await page.locator('.mistake mark').count()).toBe(1);
    await write(page, 'pod_ready + on() pod_ready');
    await page.click('.run');
    await page.waitForSelector('text=The query cannot be answered.');
    expect(await page.textContent('.notice-text')).toContain('many-to-many matching not allowed');
  });

  it('shows what the API warns of', async () => {
    const page = await visit(explore({ expr: 'quantile(2, rate(pod_ready[5m]))', view: 'table' }));
    await page.waitForSelector('.told-warning');
    expect(await page.textContent('.told-warning')).toContain('quantile value should be between 0 and 1');
    expect(await page.textContent('.told-info')).toContain('metric might not be a counter');
  });

  it('keeps the last 20 queries, each once, the newest first, and asks one again', async () => {
    const page = await visit('/explore');
    await page.waitForSelector(EDITOR);
    await page.evaluate('localStorage.clear()');
    await page.reload();
    for (const number of [...Array(22).keys(), 5]) {
      await write(page, `vector(${number})`);
      await page.click('.run');
      await page.waitForURL((url) => url.searchParams.get('expr') === `vector(${number})`);
    }
    await page.reload();
    await page.click('text=Asked before');
    const asked = await page.locator('.past button').allTextContents();
    expect(asked).toHaveLength(20);
    expect(asked.slice(0, 3)).toEqual(['vector(5)', 'vector(21)', 'vector(20)']);
    await page.click('.past button:has-text("vector(20)")');
    await page.waitForURL(/vector%2820%29/);
    expect(await page.textContent(EDITOR)).toBe('vector(20)');
  });

  it('keeps what is written before the answer is drawn', async () => {
    const page = await visit('/explore');
    await page.waitForSelector(EDITOR);
    // Faster than the page is painted, as a quick hand is on a slow machine.
    await page.evaluate(`(async () => {
      const content = document.querySelector('.editor').shadowRoot.querySelector('.cm-content');
      const write = async (text) => {
        content.querySelector('.cm-line').textContent = text;
        await null;
      };
      await write('vector(1)');
      document.querySelector('.run').click();
      await write('vector(2)');
    })()`);
    await page.waitForSelector('.graph canvas');
    expect(address(page).get('expr')).toBe('vector(1)');
    expect(await page.textContent(EDITOR)).toBe('vector(2)');
  });

  it('starts afresh when what the browser kept is not ours', async () => {
    const page = await visit('/explore');
    await page.evaluate('localStorage.setItem("podvitals.explore.queries", "{[")');
    await page.reload();
    await page.waitForSelector(EDITOR);
    expect(await page.locator('.past').count()).toBe(0);
  });

  it('shows hostile label values as text, in the graph, in the table and among the completions', async () => {
    const page = await visit(explore({ expr: `pod_ready{pod=~"<.*"}` }));
    await page.waitForSelector('.series li');
    expect(await page.textContent('.series code')).toContain('<script>alert(2)</script>');
    await page.click('text=Table');
    await page.waitForSelector('.result-table td');
    expect(await page.textContent('.result-table td')).toContain('<img src=x onerror=alert(1)>');
    await write(page, '');
    await page.locator(EDITOR).pressSequentially('pod_ready{pod="<');
    await page.waitForSelector('.cm-tooltip-autocomplete li:has-text("onerror")');
    expect(await page.locator('#console img, #console script').count()).toBe(0);
  });

  it('is led to from an alert, by its expression', async () => {
    const page = await visit('/alerts');
    await page.click('.alert:has(h2:text-is("PodNotReady")) >> text=Expression');
    await page.waitForURL('**/explore?**');
    expect(address(page).get('expr')).toBe('pod_ready < 2');
    await page.waitForSelector('.graph canvas');
  });

  it('is led to from evidence that is a series, at its time', async () => {
    const page = await visit('/pods/shop/cart-1');
    await page.waitForSelector('.evidence');
    expect(await page.locator('.evidence .source a').count()).toBe(1);
    await page.click('.evidence .source a');
    await page.waitForSelector('.until');
    expect(address(page).get('expr')).toBe('pod_ready{namespace="shop",pod="cart-1"}');
    await page.waitForSelector('.graph canvas');
    await page.click('.until >> text=now');
    await page.waitForSelector('.until', { state: 'detached' });
  });

  it.each(['light', 'dark'] as const)('fits 390 px and is readable in the %s scheme', async (scheme) => {
    const page = await visit('/explore');
    await page.setViewportSize({ width: 390, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
    for (const [expr, view, shown] of [
      ['container_memory_working_set_bytes > 2e3 # bytes', 'graph', '.series'],
      ['sum by (pod) (pod_ready{namespace="shop"})', 'table', '.result-table'],
      ['rate(', 'graph', '.mistake'],
    ] as const) {
      await page.goto(shop.url + explore({ expr, view }));
      await page.waitForSelector(shown);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      expect(await page.evaluate(FAINT_TEXT)).toEqual([]);
    }
  });
});
