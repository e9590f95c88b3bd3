import { verify } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { expectMessages } from './dialects.ts';
import { receiveWebhooks, type ReceivedEvent } from './receive-webhooks.ts';
import { advanceClock, createCardOrder, createPayment, startSandbox, type Answer, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene, WEBHOOK_KEY, type WebhookScene } from './webhook-scene.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

async function startGatewayScene(): Promise<WebhookScene> {
  return startWebhookScene(() => 200, ':memory:', 'gatewayWebhook');
}

async function arm(sandbox: RunningSandbox, fault: Record<string, unknown>): Promise<void> {
  expect((await sandbox.call('POST', '/sandbox/faults', { delay_ms: DELAY_MS, ...fault })).status).toBe(200);
}

async function refund(sandbox: RunningSandbox, id: string, body = '{"amount":10.00}'): Promise<Answer['body']> {
  const answer = await sandbox.call('POST', `/pagos/devolucion/${id}`, body);
  expect(answer.status).toBe(200);
  return answer.body;
}

describe('webhooks of the gateway', () => {
  it('should announce a refund with the whole payment as a read shows it, signed over the raw body (X5)', async () => {
    const { sandbox, received, until } = await startGatewayScene();
    const { id } = await createPayment(sandbox, '100.00', { external_reference: 'mine' });
    await refund(sandbox, id);
    expect(await until(1)).toEqual(['devolucion.refunded']);
    const [{ raw, headers }] = received as [ReceivedEvent];
    const payment = await sandbox.call('GET', `/pagos/${id}`);
    const event = JSON.parse(raw.toString()) as Answer['body'];
    expect(event).toEqual({ id: expect.stringMatching(/^evt_[0-9a-f]{24}$/), type: 'devolucion.refunded', created_at: expect.any(Number), data: { object: payment.body } });
    expect(raw.toString()).toContain(`"data":{"object":${payment.text}}`);
    expectMessages(raw.toString(), event.data.object.refunds);
    expect(headers['content-type']).toBe('application/json');
    const signature = Buffer.from(String(headers['digest']), 'base64');
    expect(verify('RSA-SHA256', raw, WEBHOOK_KEY.publicKeyPem, signature)).toBe(true);
    expect(verify('RSA-SHA256', Buffer.concat([raw, Buffer.from(' ')]), WEBHOOK_KEY.publicKeyPem, signature)).toBe(false);
  });

  it('should announce every word, by the clock and by hand, in order (X4, X5)', async () => {
    const { sandbox, until, received } = await startGatewayScene();
    const { id } = await createPayment(sandbox, '100.00');
    await arm(sandbox, { operation: 'refund', mode: 'async', status: 'pending' });
    const made = await refund(sandbox, id);
    const words = ['in_process', 'review', 'validate', 'deferred', 'authorized'];
    for (const status of words) await sandbox.call('POST', `/sandbox/refunds/${made.id}/status`, { status });
    advanceClock(DELAY_MS);
    await sandbox.call('GET', '/sandbox/health');
    await sandbox.call('POST', `/sandbox/refunds/${made.id}/status`, { status: 'dismissed' });
    const all = ['pending', ...words, 'approved', 'refunded', 'dismissed'];
    expect(await until(9)).toEqual(all.map((word) => `devolucion.${word}`));
    // Each as the payment was then.
    expect(received.map(({ raw }) => (JSON.parse(raw.toString()) as Answer['body']).data.object.refunds[0].status as string)).toEqual(all);
  });

  it('should tell each receiver of its own dialect only, and nobody who is not there (X5)', async () => {
    const events: Record<'webhook' | 'gatewayWebhook', string[]> = { webhook: [], gatewayWebhook: [] };
    const receive = async (name: keyof typeof events) => ({
      url: (await receiveWebhooks((event) => { events[name].push(event.type); return 200; })).url, privateKeyPem: WEBHOOK_KEY.privateKeyPem,
    });
    const [webhook, gatewayWebhook] = [await receive('webhook'), await receive('gatewayWebhook')];
    const spend = async (sandbox: RunningSandbox): Promise<void> => {
      const order = await createCardOrder(sandbox, 5000);
      await refund(sandbox, (await createPayment(sandbox, '10.00')).id);
      expect((await sandbox.call('POST', `/orders/${order.id}/refunds`)).status).toBe(200);
    };
    await spend(await startSandbox({ webhook, gatewayWebhook }));
    await vi.waitUntil(() => events.webhook.length + events.gatewayWebhook.length === 2, { timeout: 5000, interval: 10 });
    expect(events).toEqual({ webhook: ['order.refunded'], gatewayWebhook: ['devolucion.refunded'] });
    await spend(await startSandbox({ webhook }));
    await spend(await startSandbox({ gatewayWebhook }));
    await vi.waitUntil(() => events.webhook.length + events.gatewayWebhook.length === 4, { timeout: 5000, interval: 10 });
    expect(events).toEqual({ webhook: ['order.refunded', 'order.refunded'], gatewayWebhook: ['devolucion.refunded', 'devolucion.refunded'] });
  });

  it('should drop, double and reorder when a fault about the payment says so (X5)', async () => {
    const { sandbox, received, until } = await startGatewayScene();
    const [{ id }, other] = [await createPayment(sandbox, '100.00'), await createPayment(sandbox, '100.00')];
    const spoil = async (mode: string): Promise<void> => arm(sandbox, { operation: 'webhook', mode, charge_id: id });
    const fail = async (): Promise<unknown> => sandbox.call('POST', `/sandbox/refunds/${(await refund(sandbox, id)).id}/failure`);
    await spoil('drop');
    await refund(sandbox, other.id);
    await fail();
    expect([...await until(2)].sort()).toEqual(['devolucion.refunded', 'devolucion.rejected']);
    expect(new Set(received.map(({ raw }) => (JSON.parse(raw.toString()) as Answer['body']).data.object.id as string))).toEqual(new Set([id, other.id]));
    await spoil('double');
    await fail();
    expect((await until(5)).slice(2)).toEqual(['devolucion.refunded', 'devolucion.refunded', 'devolucion.rejected']);
    expect(received[2]?.id).toBe(received[3]?.id);
    await spoil('reorder');
    await fail();
    expect((await until(7)).slice(5)).toEqual(['devolucion.rejected', 'devolucion.refunded']);
  });
});
