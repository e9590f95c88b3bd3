/**
 * Takes the picture of the README: a refund on its page in the Temporal Web UI, by headless Chromium.
 *
 *   node scripts/screenshot-web-ui.ts <workflow id> <file.png> [Web UI address]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [workflowId, file, ui = 'http://127.0.0.1:8233'] = process.argv.slice(2);
if (workflowId === undefined || file === undefined) throw new Error('usage: node scripts/screenshot-web-ui.ts <workflow id> <file.png> [Web UI address]');

const profile = await mkdtemp(join(tmpdir(), 'reintegro-chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', headless: true, viewport: { width: 1400, height: 900 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage();
  await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
  // The page keeps a connection open while the Workflow runs: what says that it is there is its history.
  await page.getByText('Event History').first().waitFor();
  await page.getByText('reserveRefund').or(page.getByText('registerPayoutOrder')).first().waitFor();
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
