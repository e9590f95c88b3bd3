import { beforeAll, afterAll, beforeEach } from 'vitest';
import type { NewRefund } from '../../src/client/reintegro-client.ts';
import { readOrder } from '../../src/store/orders.ts';
import { chargeIdOf, playRefund, recordOrder } from './played-workflows.ts';
import type { LegFate } from './played-workflows.ts';
import { deliverTo, PROVIDER_PUBLIC_PEM } from './signed-webhook.ts';
import { seed, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

/** A paid order with two charges, as the seed has it. */
export const PAID = seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>;
type Json = Record<string, unknown>;
type ShownRefunds = { data: Json[] } | null;
/** An order as the provider shows it. */
type ShownOrder = Json & { charges: { data: (Json & { id: string; refunds: ShownRefunds })[] } };
/** What an event is called, and how many seconds ago it was made. */
type Made = { readonly type?: string; readonly age?: number };

async function orderAtProvider(api: TestApi, orderId: string): Promise<ShownOrder> {
  const record = await readOrder(api.db, 'm_one', 'conekta', orderId);
  return { ...record?.raw, object: 'order', charges: { object: 'list', data: record?.charges.map(({ raw }) => raw) } } as unknown as ShownOrder;
}

function eventOf(id: string, object: unknown, { type = 'order.refunded', age = 0 }: Made = {}) {
  return { id, object: 'event', type, created_at: Math.floor(Date.now() / 1000) - age, data: { object, previous_attributes: {} } };
}

/** Events of the provider about an order: each test has an API that knows a new one. Call it at the top of a test file. */
export function orderEventScene() {
  let api: TestApi;
  let orderId = '';
  let count = 0;
  /** Forgets the calls; from now on signals and reviews succeed. */
  const listen = (): void => api.client.reset({ signalRefundFact: async () => undefined, reviewRefund: async () => undefined });
  /** Another paid order of the first merchant becomes the one all is about. */
  const nextOrder = async (): Promise<string> => {
    count += 1;
    orderId = `ord_2tgvDBAmxTMqW${count}`;
    await recordOrder(api.db, 'm_one', PAID, orderId);
    return orderId;
  };
  beforeAll(async () => { api = await startApi({ webhookPublicKeyPem: PROVIDER_PUBLIC_PEM }); });
  afterAll(() => api.close());
  beforeEach(async () => {
    await nextOrder();
    listen();
  });
  const shownOrder = () => orderAtProvider(api, orderId);
  const withRefunds = async (change: (refunds: ShownRefunds) => ShownRefunds): Promise<ShownOrder> => {
    const order = await shownOrder();
    return { ...order, charges: { ...order.charges, data: order.charges.data.map((charge) => ({ ...charge, refunds: change(charge.refunds) })) } };
  };
  return {
    api: () => api,
    orderId: () => orderId,
    nextOrder,
    listen,
    /** A refund of the order, as far as its legs' fates bring it. Answers its id. */
    refund: async (fates: readonly LegFate[], asked: Partial<NewRefund> = {}): Promise<string> => {
      count += 1;
      return (await playRefund(api.db, { merchantId: 'm_one', orderId, idempotencyKey: `k${count}`, requestedBy: 'key', ...asked }, fates)).refundId;
    },
    /** A part of one of the order's charges. */
    part: (amountMinor = 100, charge = 0) => ({ chargeId: chargeIdOf(orderId, charge), amountMinor }),
    /** The order as the provider shows it now, or with what its refunds show changed, or without them. */
    shownOrder,
    orderWith: (change: (refund: Json) => Json) => withRefunds((refunds) => (refunds === null ? null : { ...refunds, data: refunds.data.map(change) })),
    orderWithoutRefunds: () => withRefunds(() => null),
    /** A new event, made `age` seconds ago. */
    event: (object: unknown, made?: Made): Json & { id: string } => {
      count += 1;
      return eventOf(`event_${count}`, object, made);
    },
    deliver: (body: unknown, options?: Parameters<typeof deliverTo>[2]): Promise<Answer> => deliverTo(api, body, options),
    /** The calls that a delivery of the event at hand should have made. */
    told: (refundId: string, merchantId = 'm_one') => ({ method: 'signalRefundFact', args: [merchantId, refundId, `event_${count}`] }),
    reviewed: (refundId: string, merchantId = 'm_one') => ({ method: 'reviewRefund', args: [merchantId, refundId, orderId, `event_${count}`] }),
    statusOf: (refundId: string) => api.db.selectFrom('refunds').select(['status', 'needs_attention']).where('refund_id', '=', refundId).executeTakeFirst(),
  };
}
