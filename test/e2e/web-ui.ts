import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, vi } from 'vitest';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Whether there is a browser; on CI (CI=true) there has to be one. */
export async function hasBrowser(): Promise<boolean> {
  const found = await access(CHROMIUM).then(() => true, () => false);
  if (!found && process.env['CI'] === 'true') throw new Error(`${CHROMIUM} is not installed, and CI must look at the Temporal Web UI.`);
  return found;
}

/** What a person reads on a Workflow's page of the Temporal Web UI, in headless Chromium: its user metadata and its search attributes. */
export async function readWorkflowPages(uiUrl: string, workflowId: string): Promise<{ readonly metadata: string; readonly searchAttributes: string }> {
  const profile = await mkdtemp(join(tmpdir(), 'reintegro-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${uiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
    // The UI shows Markdown in frames of its own, as soon as it has it.
    const shown = async (): Promise<string> => (await Promise.all(page.frames().map((frame) => frame.locator('body').innerText().catch(() => '')))).join('\n');
    const read = async (tab: string, until: string): Promise<string> => {
      await page.getByText(tab, { exact: true }).first().click();
      await vi.waitFor(async () => expect(await shown()).toContain(until), { timeout: 30_000, interval: 200 });
      return shown();
    };
    return { searchAttributes: await read('Search Attributes', 'ReintegroStatus'), metadata: await read('User Metadata', 'Status:') };
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}
