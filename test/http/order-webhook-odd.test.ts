import { describe, expect, it } from 'vitest';
import { NotRunningError } from '../../src/client/client-errors.ts';
import { orderEventScene } from './order-event-scene.ts';
import { settlePlayed } from './played-workflows.ts';

const scene = orderEventScene();
const { deliver, event, orderWith, orderWithoutRefunds, part, refund, reviewed, shownOrder } = scene;

describe('POST /webhooks/conekta about an order, in odd circumstances', () => {
  it('should open no case for a refund that came to its end while the event was on its way (O1, A8)', async () => {
    const refundId = await refund(['authorized'], part());
    const { leg_id: legId } = await scene.api().db.selectFrom('legs').select('leg_id').where('refund_id', '=', refundId).executeTakeFirstOrThrow();
    scene.api().client.reset({ signalRefundFact: async () => {
      await settlePlayed(scene.api().db, { merchantId: 'm_one', refundId, legId }, 'succeeded');
      throw new NotRunningError('ended meanwhile');
    } });
    expect((await deliver(event(await shownOrder()))).status).toBe(200);
    expect(await scene.api().db.selectFrom('cases').select('kind').where('refund_id', '=', refundId).execute()).toEqual([]);
    expect(await scene.statusOf(refundId)).toEqual({ status: 'refunded', needs_attention: false });
  });

  it('should refuse with 400 an order id that no database can hold (A8)', async () => {
    expect((await deliver(event({ object: 'order', id: 'ord_\u0000' }))).status).toBe(400);
    expect((await deliver(event({ object: 'charge', order_id: 'ord_\ud800' }))).status).toBe(400);
  });

  it('should doubt a refund that one charge shows as failed, though another charge cannot be read (R9, S7)', async () => {
    const refundId = await refund(['succeeded'], part());
    const order = await orderWith((shown) => ({ ...shown, status: 'failed' }));
    await deliver(event({ ...order, charges: { data: [...order.charges.data.slice(0, 1), { id: 7 }] } }));
    expect(scene.api().client.calls).toEqual([reviewed(refundId)]);
  });

  it('should not doubt a refund that is not on the first page of a list that has more (R9)', async () => {
    await refund(['succeeded'], part());
    const order = await orderWithoutRefunds();
    await deliver(event({ ...order, charges: { data: order.charges.data.map((charge) => ({ ...charge, refunds: { object: 'list', has_more: true, total: 11, data: [] } })) } }, { age: -60 }));
    expect(scene.api().client.calls).toEqual([]);
  });

  it('should tell a refund under way though the event is dated in a form of its own (R6, A8)', async () => {
    await refund(['authorized', 'authorized']);
    await deliver({ ...event(await shownOrder()), created_at: '2026-01-01T00:00:00Z' });
    expect(scene.api().client.calls).toHaveLength(1);
  });
});
