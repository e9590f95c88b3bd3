import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SandboxDatabase } from '../../src/sandbox/sandbox-database.ts';
import { advanceClock, createCardOrder, createPayout, startSandbox, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene } from './webhook-scene.ts';

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

  it('should finish half-done asynchronous refunds after a restart, each by its mode, and announce it (X4, X5)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const orders: { id: string }[] = [];
    for (const [index, mode] of ['async', 'async_failure', 'late_failure'].entries()) {
      const order = await createCardOrder(before, 5000);
      await before.call('POST', '/sandbox/faults', { operation: 'refund', mode, delay_ms: 600_000 });
      await before.call('POST', `/orders/${order.id}/refunds`, { amount: 100 * (index + 1) });
      orders.push(order);
    }
    advanceClock(300_000);
    const statusesIn = async (sandbox: RunningSandbox): Promise<unknown[]> => Promise.all(orders.map(async ({ id }) =>
      (await sandbox.call('GET', `/orders/${id}`)).body.charges.data[0].refunds.data[0].status as unknown));
    expect(await statusesIn(before)).toEqual(['approved', 'authorized', undefined]);
    await before.app.close();
    const after = await startWebhookScene(() => 200, databasePath);
    expect(await statusesIn(after.sandbox)).toEqual(['approved', 'authorized', undefined]);
    advanceClock(300_000);
    expect(await statusesIn(after.sandbox)).toEqual([undefined, 'failed', 'failed']);
    expect(await after.sandbox.journal()).toEqual([['refund', 300], ['refund', 100], ['refund_failed', 300]]);
    expect([...await after.until(3)].sort()).toEqual(['order.partially_refunded', 'order.refund_failed', 'order.refund_failed']);
  });

  it('should bring a file of the first version up to date: pending refunds are authorized, undelivered events go out (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const made = await startSandbox({ databasePath });
    const order = await createCardOrder(made, 5000);
    await made.app.close();
    const tables = schemaOf(databasePath);
    makeOld(databasePath, order.charges.data[0].id);

    const scene = await startWebhookScene(() => 200, databasePath);
    const read = async (): Promise<unknown[]> => {
      const { body } = await scene.sandbox.call('GET', `/orders/${order.id}`);
      return [body.amount_refunded, body.charges.data[0].refunds.data.map((row: { id: string; status?: string }) => [row.id, row.status])];
    };
    expect(await read()).toEqual([700, [['r3', 'failed'], ['r2', undefined], ['r1', 'authorized']]]);
    expect(await scene.until(1)).toEqual(['payout_order.expired']);
    await scene.sandbox.app.close();
    expect(schemaOf(databasePath)).toEqual(tables);

    const again = await startSandbox({ databasePath });
    const { body } = await again.call('POST', '/sandbox/refunds/r1/approval');
    expect(body.charges.data[0].refunds.data[2]).toMatchObject({ id: 'r1', status: 'approved' });
    advanceClock(60_000);
    expect(await again.journal()).toEqual([['refund', 500]]);
    expect((await again.call('POST', `/orders/${order.id}/refunds`)).body).toMatchObject({ amount_refunded: 5000, payment_status: 'refunded' });
  });

  it('should bring a file of the second version up to date: no withdrawal under way can be voided (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const made = await startSandbox({ databasePath });
    const { id } = await createPayout(made);
    await made.call('POST', `/sandbox/payout_orders/${id}/withdrawal`);
    await made.app.close();
    const tables = schemaOf(databasePath);
    const file = new DatabaseSync(databasePath);
    file.exec(`PRAGMA user_version = 1; ALTER TABLE payout_orders DROP COLUMN is_voidable; ${BEFORE_THE_GATEWAY}`);
    file.close();

    const upgraded = await startSandbox({ databasePath });
    expect((await upgraded.call('PUT', `/payout_orders/${id}/cancel`)).status).toBe(428);
    const fresh = await createPayout(upgraded);
    await upgraded.call('POST', `/sandbox/payout_orders/${fresh.id}/withdrawal`, { voidable: true });
    await upgraded.app.close();
    expect(schemaOf(databasePath)).toEqual(tables);
    expect((await (await startSandbox({ databasePath })).call('PUT', `/payout_orders/${fresh.id}/cancel`)).status).toBe(200);
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

/** The names of all tables, indexes and triggers of a file, with the columns of the tables. */
function schemaOf(databasePath: string): unknown[] {
  const file = new DatabaseSync(databasePath);
  const rows = file.prepare(`SELECT type, name, (SELECT group_concat(columns.name) FROM pragma_table_info(sqlite_master.name) AS columns) AS columns
    FROM sqlite_master ORDER BY type, name`).all();
  file.close();
  return rows;
}

/** Takes from a file what came with the third version. */
const BEFORE_THE_GATEWAY = `
  DROP TABLE refund_messages; DROP TABLE payments; ALTER TABLE faults DROP COLUMN status; ALTER TABLE webhook_deliveries DROP COLUMN target;`;

/** Turns a file back into one of the first version, with a refund in each of its states, work put off, and an event not yet taken. */
function makeOld(databasePath: string, chargeId: string): void {
  const file = new DatabaseSync(databasePath);
  file.exec(`
    PRAGMA user_version = 0;
    ${BEFORE_THE_GATEWAY}
    ALTER TABLE payout_orders DROP COLUMN is_voidable;
    DROP TABLE refunds;
    CREATE TABLE refunds (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, charge_id TEXT NOT NULL REFERENCES charges (id), amount INTEGER NOT NULL CHECK (amount > 0),
      state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')), auth_code TEXT, created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX refunds_by_charge ON refunds (charge_id, seq);
    INSERT INTO refunds (id, charge_id, amount, state, created_at) VALUES
      ('r1', '${chargeId}', 500, 'pending', 1700000000), ('r2', '${chargeId}', 200, 'succeeded', 1700000000), ('r3', '${chargeId}', 300, 'failed', 1700000000);
    UPDATE charges SET refunded_amount = 700;
    INSERT INTO due_work (work, due_at_ms) VALUES ('{"kind":"refund.complete","refundIds":["r1"]}', ${Date.now() + 60_000});
    DROP INDEX webhook_deliveries_of_subject;
    ALTER TABLE webhook_deliveries RENAME COLUMN subject_id TO payout_order_id;
    CREATE INDEX webhook_deliveries_of_payout ON webhook_deliveries (payout_order_id) WHERE state = 'queued';
    INSERT INTO webhook_deliveries (payout_order_id, body, state, next_attempt_at_ms, created_at_ms)
      VALUES ('p1', '{"id":"e1","type":"payout_order.expired"}', 'queued', 0, ${Date.now()});`);
  file.close();
}

async function readEverything(sandbox: RunningSandbox): Promise<unknown[]> {
  const paths = ['/orders', '/payout_orders', '/sandbox/faults', '/sandbox/journal'];
  return Promise.all(paths.map(async (path) => (await sandbox.call('GET', path)).body as unknown));
}
