import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { findPart } from './parts.ts';

export interface TestBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** The system's Chromium with a profile of its own that goes with it. `args` are further command-line switches. */
export async function openBrowser(
  options: BrowserContextOptions = {},
  args: readonly string[] = [],
): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'podvitals-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    ...options,
    executablePath: findPart('chromium')!,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
