import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startNodeProgram } from '../support/processes.ts';
import { EXECUTABLE, startProduct } from '../support/product.ts';
import { merchantBackend } from './merchant-backend.ts';

const postgres = await startPostgres();
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'reintegro-commands-'));
});
afterAll(async () => {
  await postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Runs a command to its end. */
async function reintegro(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const program = await startNodeProgram(EXECUTABLE, args, { env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, ...settings } });
  await program.outputEnded;
  return { code: (await program.exited).code, lines: program.lines() };
}

describe('reintegro', () => {
  it.each(['api', 'worker', 'migrate', 'merchant key shop', 'merchant policy shop'])('should refuse %s without DATABASE_URL in one line, leaving nothing behind (D3)', async (command) => {
    const { code, lines } = await reintegro(command.split(' '));
    expect(lines).toEqual([expect.stringMatching(/^DATABASE_URL is required/)]);
    expect(code).toBe(1);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('should name all problems of the settings at once, and no value of theirs', async () => {
    const { code, lines } = await reintegro(['api'], { PORT: '70000', SYNC_WAIT_MS: 'soon', LOG_LEVEL: 'loud', PROVIDER_CREDENTIALS: '{"shop":"key_secret"}' });
    expect(code).toBe(1);
    expect(lines[0]).toBe('The configuration has 4 problem(s):');
    expect(new Set(lines.slice(1).map((line) => line.trim().split(':')[0]))).toEqual(new Set(['LOG_LEVEL', 'PORT', 'PROVIDER_CREDENTIALS', 'SYNC_WAIT_MS']));
    expect(lines.join('\n')).not.toContain('key_secret');
  });

  it('should name every wrong value of a policy at once, before it looks for a database', async () => {
    const wrong = [
      ['--review-threshold', '0', '--review-expiry-hours', '1.5', '--payer-confirmation', 'yes', '--payer-confirmation-expiry-hours', '8785', '--cancellation-window-seconds', '-1'],
      ['--review-threshold', '9007199254740992', '--review-expiry-hours', '0', '--payer-confirmation', 'ON', '--payer-confirmation-expiry-hours', '1e2', '--cancellation-window-seconds', '2592001'],
      ['--review-threshold', 'nothing', '--review-expiry-hours', '', '--payer-confirmation', '', '--payer-confirmation-expiry-hours', 'none', '--cancellation-window-seconds', ' 5'],
    ];
    for (const options of wrong) {
      const { code, lines } = await reintegro(['merchant', 'policy', 'shop', ...options]);
      expect(code).toBe(1);
      expect(lines[0]).toBe('Nothing was changed; the policy has 5 problem(s):');
      expect(lines.slice(1).map((line) => line.trim().split(':')[0])).toEqual(options.filter((option) => option.startsWith('--')));
    }
  });

  it('should refuse an unknown command', async () => {
    const { code, lines } = await reintegro(['aip']);
    expect(code).toBe(1);
    expect(lines[0]).toContain("unknown command 'aip'");
  });
});

describe.skipIf(postgres === null)('reintegro migrate and merchant', () => {
  it('should bring an empty database up to date, several at once, and do nothing again', async () => {
    if (postgres === null) return;
    const settings = { DATABASE_URL: await createDatabase(postgres, 'migrated') };
    const runs = await Promise.all([reintegro(['migrate'], settings), reintegro(['migrate'], settings)]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    const said = runs.flatMap(({ lines }) => lines);
    expect(said).toHaveLength(2);
    expect(said).toEqual(expect.arrayContaining([expect.stringMatching(/^Applied: 0001-initial/), 'The schema is up to date.']));
    expect(await reintegro(['migrate'], settings)).toEqual({ code: 0, lines: ['The schema is up to date.'] });
  });

  it('should show and change what a merchant demands of its refunds, and nothing on a wrong value (R3, R5)', { timeout: 90_000 }, async () => {
    if (postgres === null) return;
    const settings = { DATABASE_URL: await createDatabase(postgres, 'policies') };
    const policy = (...args: string[]) => reintegro(['merchant', 'policy', ...args], settings);
    expect(await policy('shop')).toEqual({ code: 1, lines: ['no merchant "shop"'] });
    expect(await policy('shop', '--payer-confirmation', 'on')).toEqual({ code: 1, lines: ['no merchant "shop"'] });
    for (const id of ['shop', 'other']) expect(await reintegro(['merchant', 'create', id, id], settings)).toMatchObject({ code: 0 });
    const defaults = ['review-threshold: none', 'review-expiry-hours: 72', 'payer-confirmation: off', 'payer-confirmation-expiry-hours: 72', 'cancellation-window-seconds: 0'];
    expect(await policy('shop')).toEqual({ code: 0, lines: defaults });

    const all = ['--review-threshold', '500000', '--review-expiry-hours', '24', '--payer-confirmation', 'on', '--payer-confirmation-expiry-hours', '8784', '--cancellation-window-seconds', '2592000'];
    const changed = ['review-threshold: 500000', 'review-expiry-hours: 24', 'payer-confirmation: on', 'payer-confirmation-expiry-hours: 8784', 'cancellation-window-seconds: 2592000'];
    expect(await policy('shop', ...all)).toEqual({ code: 0, lines: changed });
    expect(await policy('shop', '--review-threshold', '1', '--payer-confirmation', 'of')).toEqual({ code: 1, lines: [expect.stringContaining('1 problem'), '  --payer-confirmation: expected "on" or "off"'] });
    // Only what is named changes, and only for the merchant named.
    expect(await policy('shop', '--review-threshold', 'none')).toEqual({ code: 0, lines: ['review-threshold: none', ...changed.slice(1)] });
    expect(await policy('other')).toEqual({ code: 0, lines: defaults });
    expect(await policy('other', '--review-threshold', '9007199254740991', '--cancellation-window-seconds', '0')).toEqual({ code: 0, lines: ['review-threshold: 9007199254740991', ...defaults.slice(1)] });
  });

  it('should make keys that open what their scopes say, and nothing of another merchant', { timeout: 90_000 }, async () => {
    if (postgres === null) return;
    const databaseUrl = await createDatabase(postgres, 'merchants');
    const settings = { DATABASE_URL: databaseUrl };
    const product = await startProduct({ databaseUrl, workers: 0 });
    try {
      expect(await reintegro(['merchant', 'key', 'shop'], settings)).toEqual({ code: 1, lines: ['no merchant "shop"'] });
      expect(await reintegro(['merchant', 'create', 'shop', 'Shop'], settings)).toMatchObject({ code: 0 });
      expect(await reintegro(['merchant', 'key', 'shop', '--scopes', 'read,fly'], settings)).toMatchObject({ code: 1, lines: [expect.stringContaining('fly')] });
      const [made, reading] = await Promise.all([reintegro(['merchant', 'key', 'shop'], settings), reintegro(['merchant', 'key', 'shop', '--scopes', 'read'], settings)]);
      expect([made, reading]).toEqual([{ code: 0, lines: [expect.stringMatching(/^key_/)] }, { code: 0, lines: [expect.stringMatching(/^key_/)] }]);

      for (const key of [made.lines[0], reading.lines[0]]) {
        expect(await call('GET', `${product.apiUrl}/payout_orders`, { key: key ?? '' })).toMatchObject({ status: 200, body: { object: 'list', data: [] } });
      }
      expect(await merchantBackend(product.apiUrl, reading.lines[0]).refund('ord_2tUigJ8DgBhbp6w5D', {})).toMatchObject({ status: 403 });
      expect(await call('GET', `${product.apiUrl}/payout_orders`, { key: `${made.lines[0]}x` })).toMatchObject({ status: 401 });
    } finally {
      await product.stop();
    }
  });
});
