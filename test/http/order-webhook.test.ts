import { describe, expect, it } from 'vitest';
import { saveMerchant } from '../../src/store/merchants.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { orderEventScene, PAID } from './order-event-scene.ts';
import { failPlayedLate, recordOrder, snapshotOf } from './played-workflows.ts';
import type { LegFate } from './played-workflows.ts';

const scene = orderEventScene();
const { deliver, event, listen, orderWith, orderWithoutRefunds, part, refund, reviewed, shownOrder, told } = scene;
const calls = () => scene.api().client.calls;

describe('an event about an order with refunds under way (R6, A8)', () => {
  it.each<[LegFate, string]>([['authorized', 'order.refunded'], ['approved', 'order.refunded'], ['authorized', 'charge.refunded'], ['approved', 'order.something_new']])('should tell a refund that is %s of %s, once', async (fate, type) => {
    const refundId = await refund([fate, fate]);
    expect(await deliver(event(await shownOrder(), { type }))).toMatchObject({ status: 200, body: {} });
    expect(calls()).toEqual([told(refundId)]);
  });

  it('should tell a refund once, however many of its legs are under way', async () => {
    for (const fates of [['authorized', 'approved'], ['authorized', 'succeeded'], ['refused', 'approved']] as const) {
      await scene.nextOrder();
      listen();
      const refundId = await refund(fates);
      await deliver(event(await shownOrder()));
      expect(calls()).toEqual([told(refundId)]);
    }
  });

  it('should tell all refunds of the order that are under way at the provider, and no others', async () => {
    const waiting = [await refund(['authorized'], part(1)), await refund(['approved'], part(2)), await refund(['authorized'], part(3, 1))];
    await refund(['succeeded'], part(4));
    await refund(['refused'], part(5));
    await refund(['sending'], part(6));
    await refund(['sending'], part(7));
    await deliver(event(await shownOrder()));
    expect(calls()).toHaveLength(3);
    expect(calls()).toEqual(expect.arrayContaining(waiting.map((id) => told(id))));
  });

  it.each<[string, () => Promise<unknown>]>([
    ['failed', () => orderWith((shown) => ({ ...shown, status: 'failed' }))], ['succeeded', () => orderWith((shown) => ({ ...shown, status: 'succeeded' }))], ['gone', orderWithoutRefunds],
    ['nothing at all', async () => ({ object: 'order', id: scene.orderId() })], ['nonsense', async () => ({ object: 'order', id: scene.orderId(), charges: { data: [{ id: 7, refunds: 'all' }, null] } })],
  ])('should believe nothing of what the event shows of it: %s', async (_, object) => {
    const refundId = await refund(['authorized', 'authorized']);
    await deliver(event(await object(), { age: -60 }));
    expect(calls()).toEqual([told(refundId)]);
    expect(await scene.statusOf(refundId)).toEqual({ status: 'authorized', needs_attention: false });
  });

  it('should understand an event about a charge, whichever of the order\'s it is', async () => {
    const refundId = await refund(['authorized'], part());
    for (const charge of (await shownOrder()).charges.data) {
      listen();
      await deliver(event({ ...charge, object: 'charge', order_id: scene.orderId() }, { type: 'charge.refunded' }));
      expect(calls()).toEqual([told(refundId)]);
    }
  });
});

describe('an event about an order with refunds that are done (R9, A8)', () => {
  it.each(['failed', 'canceled', 'cancelled'])('should have one looked at again that is shown as %s, once, however old the event is', async (status) => {
    const refundId = await refund(['succeeded', 'succeeded']);
    expect((await deliver(event(await orderWith((shown) => ({ ...shown, status })), { age: 86_400 }))).status).toBe(200);
    expect(calls()).toEqual([reviewed(refundId)]);
    expect(await scene.statusOf(refundId)).toMatchObject({ status: 'refunded' });
  });

  it.each(['succeeded', 'refunded', 'pending', 'a new word', null, undefined, 7, { a: 1 }])('should start no Workflow for one that is shown as %j: that is what every refund brings', async (status) => {
    await refund(['succeeded', 'succeeded']);
    expect((await deliver(event(await orderWith((shown) => ({ ...shown, status })), { age: -60 }))).status).toBe(200);
    expect(calls()).toEqual([]);
  });

  it.each<[string, number, boolean]>([['newer', -60, true], ['hardly newer', -5, false], ['equally old', 0, false], ['older', 60, false]])('should look again at one that is missing only where the event cannot be older than it: %s', async (_, age, isDoubtful) => {
    const refundId = await refund(['succeeded', 'succeeded']);
    await deliver(event(await orderWithoutRefunds(), { age }));
    expect(calls()).toEqual(isDoubtful ? [reviewed(refundId)] : []);
  });

  it('should take an event that does not say when it was made as made now', async () => {
    const refundId = await refund(['succeeded', 'succeeded']);
    for (const createdAt of [undefined, null]) await deliver({ ...event(await orderWithoutRefunds()), created_at: createdAt });
    expect(calls()).toEqual([]);
    await scene.api().db.updateTable('legs').set({ updated_at: new Date(Date.now() - 60_000) }).where('refund_id', '=', refundId).execute();
    await deliver({ ...event(await orderWithoutRefunds()), created_at: undefined });
    expect(calls()).toEqual([reviewed(refundId)]);
  });

  it('should doubt no refund of a charge that the event does not show', async () => {
    const first = await refund(['succeeded'], part());
    await refund(['succeeded'], part(3, 1));
    const order = await orderWithoutRefunds();
    for (const charges of [undefined, null, { data: [] }, { data: 'all' }, 'all']) await deliver(event({ ...order, charges }, { age: -60 }));
    expect(calls()).toEqual([]);
    await deliver(event({ ...order.charges.data[0], object: 'charge', order_id: scene.orderId() }, { type: 'charge.refunded', age: -60 }));
    expect(calls()).toEqual([reviewed(first)]);
  });

  it('should have the one looked at that failed, and tell the one under way', async () => {
    const [done, waiting] = [await refund(['succeeded'], part(1)), await refund(['authorized'], part(2))];
    await deliver(event(await orderWith((shown) => ({ ...shown, status: 'failed' }))));
    expect(calls()).toEqual([told(waiting), reviewed(done)]);
  });

  it('should leave one alone whose late failure is in the books', async () => {
    const refundId = await refund(['succeeded'], part());
    const { leg_id: legId } = await scene.api().db.selectFrom('legs').select('leg_id').where('refund_id', '=', refundId).executeTakeFirstOrThrow();
    await failPlayedLate(scene.api().db, { merchantId: 'm_one', refundId, legId });
    await deliver(event(await shownOrder()));
    expect(calls()).toEqual([]);
  });
});

describe('whose refunds an event is about', () => {
  it('should be the refunds of the order\'s merchant', async () => {
    await refund(['authorized', 'authorized']);
    const theirOrder = `${scene.orderId()}two`;
    await recordOrder(scene.api().db, 'm_two', PAID, theirOrder);
    const theirs = await refund(['authorized', 'authorized'], { merchantId: 'm_two', orderId: theirOrder });
    await deliver(event({ object: 'order', id: theirOrder }));
    expect(calls()).toEqual([told(theirs, 'm_two')]);
  });

  it('should be those of each merchant that has the order', async () => {
    const mine = await refund(['authorized', 'authorized']);
    await recordOrder(scene.api().db, 'm_two', PAID, scene.orderId());
    const theirs = await refund(['authorized', 'authorized'], { merchantId: 'm_two' });
    await deliver(event({ object: 'order', id: scene.orderId() }));
    expect(calls()).toHaveLength(2);
    expect(calls()).toEqual(expect.arrayContaining([told(mine), told(theirs, 'm_two')]));
  });

  it('should never be a refund at another provider', async () => {
    const { db } = scene.api();
    await saveMerchant(db, { merchantId: 'm_elsewhere', name: 'elsewhere', provider: 'acme' });
    await saveOrder(db, 'm_elsewhere', 'acme', snapshotOf(await shownOrder()), new Date());
    await refund(['authorized', 'authorized'], { merchantId: 'm_elsewhere' });
    expect((await deliver(event(await shownOrder()))).status).toBe(200);
    expect(calls()).toEqual([]);
  });
});
