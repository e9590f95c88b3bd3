import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SandboxDatabase } from '../../src/sandbox/sandbox-database.ts';
import { advanceClock, createCardOrder, createPayout, startSandbox, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';

describe('the sandbox’s file', () => {
  it('should bring back orders, payout orders, faults and journal when it is opened again (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const order = await createCardOrder(before, 30000, 20000);
    const payout = await createPayout(before);
    await before.call('POST', `/orders/${order.id}/refunds`, { charge_id: order.charges.data[0].id, amount: 100 });
    await before.call('POST', `/sandbox/payout_orders/${payout.id}/withdrawal`);
    await before.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'decline' });
    const snapshot = await readEverything(before);
    await before.app.close();
    expect(await readEverything(await startSandbox({ databasePath }))).toEqual(snapshot);
  });

  it('should execute a late commit after a restart (X4)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const order = await createCardOrder(before, 5000);
    await before.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'late_commit', delay_ms: 60_000 });
    const lost = fetch(`${before.url}/orders/${order.id}/refunds`, { method: 'POST', headers: { authorization: 'Bearer key_demo' } });
    await vi.waitUntil(async () => (await before.call('GET', '/sandbox/faults')).body.data.length === 0);
    const [result] = await Promise.allSettled([lost, before.app.close()]);
    expect(result.status).toBe('rejected');
    const after = await startSandbox({ databasePath });
    expect(await after.journal()).toEqual([]);
    advanceClock(60_000);
    expect(await after.journal()).toEqual([['refund', 5000]]);
  });

  it('should end a confirmation window that ran out while it was closed (X5)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath, confirmationWindowMs: 1 });
    const payout = await createPayout(before);
    await before.call('POST', `/sandbox/payout_orders/${payout.id}/withdrawal`);
    await before.app.close();
    const after = await startSandbox({ databasePath });
    expect((await after.call('GET', `/payout_orders/${payout.id}`)).body.status).toBe('withdrawn');
    expect(await after.journal()).toEqual([['withdrawal', 3000]]);
  });

  it('should keep what it acknowledged through kill -9 (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const program = `
      import { createSandboxApp } from ${JSON.stringify(new URL('../../src/sandbox/app.ts', import.meta.url).href)};
      const app = await createSandboxApp({ databasePath: ${JSON.stringify(databasePath)}, confirmationWindowMs: 180000 });
      console.log(await app.listen({ host: '127.0.0.1', port: 0 }));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
    const post = async (path: string, body: unknown): Promise<{ id: string; amount_refunded: number }> => {
      const headers = { authorization: 'Bearer key_demo', 'content-type': 'application/json' };
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as { id: string; amount_refunded: number };
    };
    const order = await post('/orders', {
      currency: 'MXN', customer_info: { customer_id: 'cus_1' }, line_items: [{ name: 'Box', unit_price: 5000, quantity: 1 }],
      charges: [{ payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } }],
    });
    const refunded = await post(`/orders/${order.id}/refunds`, { amount: 700 });
    expect(refunded.amount_refunded).toBe(700);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const after = await startSandbox({ databasePath });
    expect((await after.call('GET', `/orders/${order.id}`)).body).toEqual(refunded);
    expect(await after.journal()).toEqual([['refund', 700]]);
  });
});

describe('SandboxDatabase', () => {
  it('should undo everything when the work throws, and refuse to change the journal (X3)', () => {
    const db = new SandboxDatabase(':memory:');
    onTestFinished(() => db.close());
    const insert = "INSERT INTO journal (id, kind, charge_id, amount, currency, at) VALUES (?, 'refund', 'c', 1, 'MXN', 'now')";
    expect(() => db.transaction(() => {
      db.run(insert, 'undone');
      throw new Error('no');
    })).toThrow('no');
    db.run(insert, 'kept');
    expect(db.all('SELECT id FROM journal')).toEqual([{ id: 'kept' }]);
    expect(() => db.run('UPDATE journal SET amount = 2')).toThrow('append-only');
    expect(() => db.run('DELETE FROM journal')).toThrow('append-only');
  });
});

async function readEverything(sandbox: RunningSandbox): Promise<unknown[]> {
  const paths = ['/orders', '/payout_orders', '/sandbox/faults', '/sandbox/journal'];
  return Promise.all(paths.map(async (path) => (await sandbox.call('GET', path)).body as unknown));
}
