import { verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { advanceClock, createCardOrder, createPayout, expectShape, type Answer, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene, WEBHOOK_KEY } from './webhook-scene.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

async function arm(sandbox: RunningSandbox, fault: Record<string, unknown>): Promise<void> {
  expect((await sandbox.call('POST', '/sandbox/faults', { delay_ms: DELAY_MS, ...fault })).status).toBe(200);
}

async function refund(sandbox: RunningSandbox, order: { id: string }, body: Record<string, unknown> = {}): Promise<Answer['body']> {
  const answer = await sandbox.call('POST', `/orders/${order.id}/refunds`, body);
  expect(answer.status).toBe(200);
  return answer.body;
}

const newestId = (order: Answer['body']): string => order.charges.data[0].refunds.data[0].id as string;
const subjectOf = ({ raw }: { raw: Buffer }): string => (JSON.parse(raw.toString()) as Answer['body']).data.object.id as string;

describe('webhooks about refunds', () => {
  it('should announce plain refunds by what the order becomes, signed, with the whole order (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    const order = await createCardOrder(sandbox, 5000);
    const answers = [await refund(sandbox, order, { amount: 4000 }), await refund(sandbox, order)];
    expect(await until(2)).toEqual(['order.partially_refunded', 'order.refunded']);
    for (const [index, { raw, headers }] of received.entries()) {
      const event = JSON.parse(raw.toString()) as Answer['body'];
      expectShape('event', event);
      expect(event).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{24}$/), object: 'event', type: event.type, created_at: expect.any(Number), livemode: false,
        data: { object: answers[index], previous_attributes: {} }, webhook_status: 'pending', webhook_logs: [],
      });
      expect(verify('RSA-SHA256', raw, WEBHOOK_KEY.publicKeyPem, Buffer.from(String(headers['digest']), 'base64'))).toBe(true);
    }
  });

  it('should announce a split order once for all its charges (X5)', async () => {
    const { sandbox, until, received } = await startWebhookScene();
    const order = await createCardOrder(sandbox, 30_000, 20_000);
    await refund(sandbox, order);
    await refund(sandbox, await createCardOrder(sandbox, 100));
    expect(await until(2)).toEqual(['order.refunded', 'order.refunded']);
    expect(new Set(received.map(subjectOf)).size).toBe(2);
  });

  it('should announce every step that nobody asked about: authorized, approved, succeeded (X4, X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    const order = await createCardOrder(sandbox, 5000);
    await arm(sandbox, { operation: 'refund', mode: 'async', delay_ms: 60 });
    await refund(sandbox, order);
    expect(await until(3)).toEqual(['order.updated', 'order.updated', 'order.refunded']);
    const statuses = received.map(({ raw }) => (JSON.parse(raw.toString()) as Answer['body']).data.object.charges.data[0].refunds.data[0].status as unknown);
    expect(statuses).toEqual(['authorized', 'approved', undefined]);
  });

  it('should announce a failure, early or late (X4, X5, R9)', async () => {
    const { sandbox, until } = await startWebhookScene();
    await arm(sandbox, { operation: 'refund', mode: 'async_failure' });
    await refund(sandbox, await createCardOrder(sandbox, 5000));
    await until(1);
    advanceClock(DELAY_MS);
    await sandbox.call('GET', '/sandbox/health');
    expect(await until(2)).toEqual(['order.updated', 'order.refund_failed']);
    await arm(sandbox, { operation: 'refund', mode: 'late_failure' });
    await refund(sandbox, await createCardOrder(sandbox, 5000));
    await until(3);
    advanceClock(DELAY_MS);
    await sandbox.call('GET', '/sandbox/health');
    expect((await until(4)).slice(2)).toEqual(['order.refunded', 'order.refund_failed']);
  });

  it('should announce what is done by hand, and nothing for what is refused (X5)', async () => {
    const { sandbox, until } = await startWebhookScene();
    const order = await createCardOrder(sandbox, 5000);
    await arm(sandbox, { operation: 'refund', mode: 'async' });
    const id = newestId(await refund(sandbox, order, { amount: 100 }));
    for (const act of ['approval', 'approval', 'completion', 'completion', 'failure', 'failure']) await sandbox.call('POST', `/sandbox/refunds/${id}/${act}`);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 5001 })).status).toBe(422);
    await refund(sandbox, order, { amount: 1 });
    expect(await until(5)).toEqual(['order.updated', 'order.updated', 'order.partially_refunded', 'order.refund_failed', 'order.partially_refunded']);
  });

  it('should announce refunds whose answer was lost, and none that were not executed (X4, X5)', async () => {
    const { sandbox, until } = await startWebhookScene();
    const order = await createCardOrder(sandbox, 5000);
    for (const mode of ['error_after', 'unavailable', 'decline']) {
      await arm(sandbox, { operation: 'refund', mode });
      await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 100 });
    }
    await refund(sandbox, order);
    expect(await until(2)).toEqual(['order.partially_refunded', 'order.refunded']);
  });
});

describe('faults of webhooks about refunds', () => {
  it('should drop, double and reorder when a fault says so (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    const refundTwice = async (): Promise<void> => {
      const order = await createCardOrder(sandbox, 5000);
      await refund(sandbox, order, { amount: 1 });
      await refund(sandbox, order);
    };
    await arm(sandbox, { operation: 'webhook', mode: 'drop' });
    await refundTwice();
    expect(await until(1)).toEqual(['order.refunded']);
    await arm(sandbox, { operation: 'webhook', mode: 'double' });
    await refundTwice();
    expect((await until(4)).slice(1)).toEqual(['order.partially_refunded', 'order.partially_refunded', 'order.refunded']);
    expect(received[1]?.id).toBe(received[2]?.id);
    await arm(sandbox, { operation: 'webhook', mode: 'reorder' });
    await refundTwice();
    expect((await until(6)).slice(4)).toEqual(['order.refunded', 'order.partially_refunded']);
  });

  it('should hit the order of a charge, or the payout order, that the fault names (X5)', async () => {
    const { sandbox, received, until } = await startWebhookScene();
    const [hit, spared] = [await createCardOrder(sandbox, 300, 200), await createCardOrder(sandbox, 5000)];
    const payout = await createPayout(sandbox);
    await arm(sandbox, { operation: 'webhook', mode: 'drop', charge_id: hit.charges.data[1].id });
    await arm(sandbox, { operation: 'webhook', mode: 'drop', payout_id: payout.id });
    await refund(sandbox, spared);
    await refund(sandbox, hit, { charge_id: hit.charges.data[0].id });
    await sandbox.call('PUT', `/payout_orders/${payout.id}/cancel`);
    await refund(sandbox, hit, { charge_id: hit.charges.data[1].id });
    expect(await until(2)).toEqual(['order.refunded', 'order.refunded']);
    expect(received.map(subjectOf)).toEqual([spared.id, hit.id]);
    expect((await sandbox.call('GET', '/sandbox/faults')).body.data).toEqual([]);
  });

  it('should keep the order of events within an order only: another one does not wait (X5)', async () => {
    let isDown = true;
    const { sandbox, received, until } = await startWebhookScene(() => (isDown ? 503 : 200));
    const [first, second] = [await createCardOrder(sandbox, 5000), await createCardOrder(sandbox, 5000)];
    await refund(sandbox, first, { amount: 1 });
    await refund(sandbox, first);
    await refund(sandbox, second);
    await until(2);
    isDown = false;
    await until(5);
    const typesOf = (order: { id: string }): string[] => received.filter((event) => subjectOf(event) === order.id).map((event) => event.type);
    expect(new Set(received.slice(0, 2).map(subjectOf))).toEqual(new Set([first.id, second.id]));
    expect([...new Set(typesOf(first))]).toEqual(['order.partially_refunded', 'order.refunded']);
    expect(typesOf(first).at(-1)).toBe('order.refunded');
  });
});
