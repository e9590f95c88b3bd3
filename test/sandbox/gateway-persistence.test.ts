import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { see } from './faulty-call.ts';
import { advanceClock, createCardOrder, createPayment, startSandbox, temporaryFolder } from './start-sandbox.ts';
import { startWebhookScene } from './webhook-scene.ts';

describe('payments in the sandbox’s file', () => {
  it('should come back to the letter when it is opened again (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const { id } = await createPayment(before, '100.00', { status: 'refunded', refund_fees: [{ type: 'discount', fee_payer: 'payer', amount: 2.5 }] });
    await before.call('POST', `/pagos/devolucion/${id}`, '{"amount":10.10,"external_reference":"mine","metadata":{"n":1.00}}');
    await before.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'async', status: 'review', charge_id: id, delay_ms: 600_000 });
    await before.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'late_failure', status: 'dismissed' });
    await before.call('POST', `/pagos/devolucion/${id}`, '{"amount":20.20}');
    const paths = [`/pagos/${id}`, `/pagos/devolucion/${id}`, `/pagos/devolucion/${id}?external_reference=mine`, '/sandbox/faults', '/sandbox/journal'];
    const snapshot = await Promise.all(paths.map(async (path) => (await before.call('GET', path)).text));
    await before.app.close();
    const after = await startSandbox({ databasePath });
    expect(await Promise.all(paths.map(async (path) => (await after.call('GET', path)).text))).toEqual(snapshot);
  });

  it('should go on with what faults put off, in the words they named, and announce it (X4, X5)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const { id } = await createPayment(before, '100.00');
    for (const [index, fault] of [{ mode: 'async', status: 'validate' }, { mode: 'async_failure', status: 'cancelled' }, { mode: 'late_failure', status: 'dismissed' }].entries()) {
      await before.call('POST', '/sandbox/faults', { operation: 'refund', delay_ms: 600_000, ...fault });
      await before.call('POST', `/pagos/devolucion/${id}`, { amount: index + 1 });
    }
    await before.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'late_commit', delay_ms: 700_000 });
    const lost = see(before, 'POST', `/pagos/devolucion/${id}`, '{"amount":40.00,"external_reference":"late"}');
    await vi.waitUntil(async () => (await before.call('GET', '/sandbox/faults')).body.data.length === 0);
    expect(await lost).toBe('silence');
    await before.app.close();
    const after = await startWebhookScene(() => 200, databasePath, 'gatewayWebhook');
    advanceClock(600_000);
    const statuses = async (): Promise<string[]> => (await after.sandbox.call('GET', `/pagos/${id}`)).body.refunds.map((row: { status: string }) => row.status) as string[];
    expect(await statuses()).toEqual(['refunded', 'cancelled', 'dismissed']);
    expect([...await after.until(4)].sort()).toEqual(['devolucion.approved', 'devolucion.cancelled', 'devolucion.dismissed', 'devolucion.refunded']);
    advanceClock(100_000);
    expect((await after.sandbox.call('GET', `/pagos/devolucion/${id}?external_reference=late`)).body).toMatchObject({ amount: 40, status: 'refunded' });
    expect(await after.sandbox.journal()).toEqual([['refund', 300], ['refund', 100], ['refund_failed', 300], ['refund', 4000]]);
  });

  it('should be kept in a file of the version before them, with its faults and undelivered events (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const made = await startWebhookScene(() => 503, databasePath);
    const order = await createCardOrder(made.sandbox, 5000);
    await made.sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 700 });
    await made.until(1);
    await made.sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'decline' });
    await made.sandbox.app.close();
    const file = new DatabaseSync(databasePath);
    file.exec(`PRAGMA user_version = 2; DROP TABLE refund_messages; DROP TABLE payments;
      ALTER TABLE faults DROP COLUMN status; ALTER TABLE webhook_deliveries DROP COLUMN target`);
    file.close();

    const upgraded = await startWebhookScene(() => 200, databasePath);
    expect(await upgraded.until(1)).toEqual(['order.partially_refunded']);
    expect((await upgraded.sandbox.call('GET', `/orders/${order.id}`)).body.amount_refunded).toBe(700);
    const { id } = await createPayment(upgraded.sandbox, '50.00');
    expect((await upgraded.sandbox.call('POST', `/pagos/devolucion/${id}`)).status).toBe(402);
    expect((await upgraded.sandbox.call('POST', `/pagos/devolucion/${id}`)).status).toBe(200);
    expect(await upgraded.sandbox.journal()).toEqual([['refund', 700], ['refund', 5000]]);
  });
});
