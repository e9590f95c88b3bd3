import { verify } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadOrCreateWebhookKey } from '../../src/sandbox/webhook-key.ts';
import { createPayout, expectShape, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene, WEBHOOK_KEY } from './webhook-scene.ts';

async function withdrawAndReverse(sandbox: RunningSandbox): Promise<void> {
  const { id } = await createPayout(sandbox);
  await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`);
  await sandbox.call('POST', `/sandbox/payout_orders/${id}/reversal`);
}

describe('webhooks', () => {
  it('should announce every change of a payout order, in order, signed over the raw body (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    await withdrawAndReverse(sandbox);
    expect(await until(2)).toEqual(['payout_order.pending_confirmation', 'payout_order.reversed']);
    for (const { raw, headers } of received) {
      const event = JSON.parse(raw.toString());
      expectShape('event', event);
      expectShape('payout_order', event.data.object);
      expect(event).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{24}$/), livemode: false, webhook_status: 'pending', webhook_logs: [] });
      expect(headers['content-type']).toBe('application/json');
      const signature = Buffer.from(String(headers['digest']), 'base64');
      expect(verify('RSA-SHA256', raw, WEBHOOK_KEY.publicKeyPem, signature)).toBe(true);
      expect(verify('RSA-SHA256', Buffer.concat([raw, Buffer.from(' ')]), WEBHOOK_KEY.publicKeyPem, signature)).toBe(false);
    }
  });

  it('should announce cancellation and withdrawal (X5)', async () => {
    const { sandbox, until } = await startWebhookScene();
    const cancelled = await createPayout(sandbox);
    await sandbox.call('PUT', `/payout_orders/${cancelled.id}/cancel`);
    await sandbox.call('PUT', `/payout_orders/${cancelled.id}/cancel`);
    await until(1);
    const { id } = await createPayout(sandbox);
    await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`);
    await sandbox.call('POST', `/sandbox/payout_orders/${id}/confirmation`);
    expect(await until(3)).toEqual(['payout_order.cancelled', 'payout_order.pending_confirmation', 'payout_order.withdrawn']);
  });

  it('should announce an expiry that nobody asked about (X5)', async () => {
    const { sandbox, until } = await startWebhookScene();
    await createPayout(sandbox, { expires_at: Math.floor(Date.now() / 1000) + 2 });
    expect(await until(1)).toEqual(['payout_order.expired']);
  });

  it('should deliver again until it is answered with 2xx, the same event each time (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene((attempt) => (attempt < 3 ? 500 : 204));
    await withdrawAndReverse(sandbox);
    expect(await until(4)).toEqual([...Array<string>(3).fill('payout_order.pending_confirmation'), 'payout_order.reversed']);
    expect(new Set(received.slice(0, 3).map((event) => event.raw.toString())).size).toBe(1);
  });

  it('should deliver after a restart what nobody took before (X5)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startWebhookScene(() => 503, databasePath);
    await withdrawAndReverse(before.sandbox);
    await before.until(1);
    await before.sandbox.app.close();
    const after = await startWebhookScene(() => 200, databasePath);
    expect(await after.until(2)).toEqual(['payout_order.pending_confirmation', 'payout_order.reversed']);
  });

  it('should drop, double and reorder when a fault says so (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    const arm = async (mode: string): Promise<unknown> => sandbox.call('POST', '/sandbox/faults', { operation: 'webhook', mode, delay_ms: 60_000 });
    await arm('drop');
    await withdrawAndReverse(sandbox);
    expect(await until(1)).toEqual(['payout_order.reversed']);
    await arm('double');
    await withdrawAndReverse(sandbox);
    expect((await until(4)).slice(1)).toEqual(['payout_order.pending_confirmation', 'payout_order.pending_confirmation', 'payout_order.reversed']);
    expect(received[1]?.id).toBe(received[2]?.id);
    await arm('reorder');
    await withdrawAndReverse(sandbox);
    expect((await until(6)).slice(4)).toEqual(['payout_order.reversed', 'payout_order.pending_confirmation']);
  });
});

describe('loadOrCreateWebhookKey', () => {
  it('should make a key once, keep it, and let only its owner read it (X5)', () => {
    const folder = join(temporaryFolder(), 'keys');
    const made = loadOrCreateWebhookKey(folder);
    expect(loadOrCreateWebhookKey(folder)).toEqual(made);
    expect(made.publicKeyPem).toContain('BEGIN PUBLIC KEY');
    expect(statSync(join(folder, 'webhook-private.pem')).mode & 0o777).toBe(0o600);
  });
});
