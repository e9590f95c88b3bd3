import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Configuration, OrdersApi, PayoutOrdersApi } from 'conekta';
import type { OrderRefundRequest, PayoutOrderRequest } from 'conekta';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectContract, seed } from '../contract-fixtures.ts';
import { expectConsistent, payoutOrderRequest } from '../contract-scene.ts';
import type { Answer, Body, ContractScene } from '../contract-scene.ts';
import { seedDifferences } from '../seed-differences.ts';

const run = promisify(execFile);
const CURL_IS_MISSING = spawnSync('curl', ['--version']).error !== undefined;
/** The seeds' `ACCESS_TOKEN`. */
const ACCESS_TOKEN = Buffer.from('key_demo:').toString('base64');

/** What OpenAPI and the SDK's types ask of a payout order beyond the seed (CONTRACT §3). */
const PAYOUT_ORDER_EXTRAS = ['created_at', 'updated_at', 'livemode', 'customer_info', 'payouts[].payout_order_id', 'payouts[].livemode', 'payouts[].status'];

type Reply = Pick<Answer, 'status' | 'body'>;

/** A way to send the seeds' requests. */
type Way = (scene: ContractScene) => {
  readonly refund: (orderId: string, request: object) => Promise<Reply>;
  readonly cancel: (payoutOrderId: string) => Promise<Reply>;
  readonly read: (payoutOrderId: string) => Promise<Reply>;
};

/** The official SDK; the slash at the end of its base path doubles the one of every path (CONTRACT §9). */
const bySdk: Way = ({ product }) => {
  const configuration = new Configuration({ accessToken: 'key_demo', basePath: `${product.apiUrl}/`, baseOptions: { validateStatus: () => true } });
  const [orders, payoutOrders] = [new OrdersApi(configuration), new PayoutOrdersApi(configuration)];
  const answer = ({ status, data }: { status: number; data: unknown }): Reply => ({ status, body: data });
  return {
    // The SDK's type knows no charge_id and insists on an amount; it sends what it gets.
    refund: async (orderId, request) => answer(await orders.orderRefund(orderId, request as OrderRefundRequest)),
    cancel: async (id) => answer(await payoutOrders.cancelPayoutOrderById(id)),
    read: async (id) => answer(await payoutOrders.getPayoutOrderById(id)),
  };
};

async function curl(args: readonly string[]): Promise<Reply> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--noproxy', '*', '--write-out', '\n%{http_code}', ...args]);
  const cut = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(cut + 1)), body: JSON.parse(stdout.slice(0, cut)) as Body };
}

/** The seeds' curl lines; host, ids and key apart they are as printed there. */
const byCurl: Way = ({ product: { apiUrl } }) => {
  const payoutOrderLine = ['-H', 'Accept: application/vnd.conekta-v2.1.0+json', '-H', 'Content-type: application/json', '-u', 'key_demo:'];
  return {
    refund: (orderId, request) => curl([
      '--location', `${apiUrl}/orders/${orderId}/refunds`, '--header', 'Accept: application/vnd.conekta-v2.1.0+json', '--header', 'Content-type: application/json',
      '--header', `Authorization: Basic ${ACCESS_TOKEN}`, '--data', JSON.stringify(request, null, '\t'),
    ]),
    cancel: (id) => curl([...payoutOrderLine, '-X', 'PUT', `${apiUrl}/payout_orders/${id}/cancel`]),
    read: (id) => curl([...payoutOrderLine, '-X', 'GET', `${apiUrl}/payout_orders/${id}`]),
  };
};

/** The seeds' requests, sent by the official SDK and by the seeds' own curl lines; their answers are compared field by field. */
export function seedRequestsSuite(scene: () => ContractScene): void {
  describe.each<[string, Way, boolean]>([
    ['the official SDK', bySdk, false],
    ["the seeds' curl lines", byCurl, CURL_IS_MISSING && process.env['CI'] === undefined],
  ])('the requests of the seeds by %s', (_, way, isSkipped) => {
    describe.skipIf(isSkipped)('answered as in the seeds', () => {
      seedRefunds(scene, way);
      seedPayoutOrders(scene, way);
    });
  });
  describe('the official SDK', () => sdkFacts(scene));
}

function seedRefunds(scene: () => ContractScene, way: Way): void {
  it('should refund a split order as a whole, and answer as seed 002 does (R1, A1)', async () => {
    const order = await scene().createOrder([30_000, 20_000]);
    const { status, body } = await way(scene()).refund(order.id, seed('order.refund.total.request.json'));
    expect(status).toBe(200);
    expectContract('order_after_refund', body);
    expect(seedDifferences(body, seed('order.refund.response.json'))).toEqual([]);
    expectConsistent(body);
    expect(body.id).toBe(order.id);
    expect(body.line_items.data[0].parent_id).toBe(order.id);
    for (const charge of body.charges.data) expect(charge.refunds.data[0].auth_code).toBe(charge.payment_method.auth_code);
    const [first, second] = body.charges.data;
    await scene().expectMoved(first.id, [30_000]);
    await scene().expectMoved(second.id, [20_000]);
  });

  it('should refund a part of one charge (R1, seed 002)', async () => {
    const order = await scene().createOrder([30_000, 20_000]);
    const [first, second] = order.charges.data;
    const { status, body } = await way(scene()).refund(order.id, { ...seed('order.refund.partial.request.json'), charge_id: first.id });
    expect(status).toBe(200);
    expectContract('order_after_refund', body);
    expectConsistent(body);
    expect(body).toMatchObject({ payment_status: 'partially_refunded', amount_refunded: 10_000, is_refundable: true, split_payment: true });
    expect(body.charges.data).toMatchObject([
      { id: first.id, status: 'partially_refunded', is_refundable: true, refunds: { object: 'list', has_more: false, total: 1, data: [{ object: 'refund', amount: -10_000 }] } },
      { id: second.id, status: 'paid', is_refundable: true, refunds: null },
    ]);
    await scene().expectMoved(first.id, [10_000]);
    await scene().expectMoved(second.id, []);
  });

  it('should refuse a part of a split order without its charge, with the untouched order (seed 002)', async () => {
    const order = await scene().createOrder([30_000, 20_000]);
    const { charge_id: _, ...request } = seed('order.refund.partial.request.json');
    const { status, body } = await scene().whileNothingMoves(() => way(scene()).refund(order.id, request));
    expect(status).toBe(402);
    expectContract('error', body);
    expect(seedDifferences(body, seed('error.split_payment_charge_id_required.es.json'))).toEqual([]);
    expect(body.data.id).toBe(order.id);
  });

  it('should refuse an order that was refunded already (seed 002)', async () => {
    const order = await scene().createOrder([30_000, 20_000]);
    const { refund } = way(scene());
    await refund(order.id, seed('order.refund.total.request.json'));
    const { status, body } = await scene().whileNothingMoves(() => refund(order.id, seed('order.refund.total.request.json')));
    expect(status).toBe(428);
    expect(seedDifferences(body, seed('error.order_not_returnable.es.json'))).toEqual([]);
  });
}

function seedPayoutOrders(scene: () => ContractScene, way: Way): void {
  let created: Body;
  beforeAll(async () => { created = await scene().createPayoutOrder(); });

  it('should cancel a payout order, and answer as seed 000 does (P4, P7)', async () => {
    const { status, body } = await way(scene()).cancel(created.id);
    expect(status).toBe(200);
    expectContract('payout_order', body);
    expect(seedDifferences(body, seed('payout_order.cancel.response.json'), PAYOUT_ORDER_EXTRAS)).toEqual([]);
    expect(body).toMatchObject({ id: created.id, expires_at: created.expires_at, customer_info: { id: 'cus_23874283647' }, payouts: [{ id: created.payouts[0].id, expires_at: created.expires_at }] });
  });

  it('should read it as seed 000 does, the same as its cancellation was answered (P4)', async () => {
    const { cancel, read } = way(scene());
    const { status, body } = await read(created.id);
    expect(status).toBe(200);
    expect(seedDifferences(body, seed('payout_order.get.response.json'), PAYOUT_ORDER_EXTRAS)).toEqual([]);
    expect((await cancel(created.id)).body).toEqual(body);
  });
}

function sdkFacts(scene: () => ContractScene): void {
  const apis = (): { orders: OrdersApi; payoutOrders: PayoutOrdersApi } => {
    const configuration = new Configuration({ accessToken: 'key_demo', basePath: scene().product.apiUrl });
    return { orders: new OrdersApi(configuration), payoutOrders: new PayoutOrdersApi(configuration) };
  };

  it('should create and list payout orders, and pass orders through (A1)', async () => {
    const { orders, payoutOrders } = apis();
    const { data: created } = await payoutOrders.createPayoutOrder(payoutOrderRequest() as unknown as PayoutOrderRequest, 'en');
    expectContract('payout_order', created);
    expect(created).toMatchObject({ status: 'pending', payouts: [{ status: 'pending' }] });
    const { data: page } = await payoutOrders.getPayoutOrders('es', 1, created.id);
    expectContract('page', page);
    expect(page.data?.map((item) => item.id)).toEqual([created.id]);

    const order = await scene().createOrder([500]);
    expectContract('order_seed', (await orders.getOrderById(order.id)).data);
    const { data: found } = await orders.getOrders('es', 'child_company', 1);
    expectContract('page', found);
    expect(found.data.map((item) => item.id)).toEqual([order.id]);
  });

  it('should send its idempotency key by the last argument, and get the same answer twice (R8)', async () => {
    const order = await scene().createOrder([30_000]);
    const ask = (): ReturnType<OrdersApi['orderRefund']> =>
      apis().orders.orderRefund(order.id, { amount: 100, reason: 'other' }, 'en', undefined, { headers: { 'Idempotency-Key': `sdk-${order.id}` } });
    const [first, second] = [await ask(), await ask()];
    expect(second.data).toEqual(first.data);
    expect([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    await scene().expectMoved(order.charges.data[0].id, [100]);
  });

  it('should refuse to cancel a refund that is settled, and know no other (R4, CONTRACT §5)', async () => {
    const order = await scene().createOrder([30_000]);
    const refunded = await scene().refund(order.id, { amount: 100 });
    const refundId = String(refunded.body.charges.data[0].refunds.data[0].id);
    const { orders } = apis();
    await expect(orders.orderCancelRefund(order.id, refundId)).rejects.toMatchObject({ response: { status: 428, data: { type: 'precondition_required_error' } } });
    await expect(orders.orderCancelRefund(order.id, 'f'.repeat(24))).rejects.toMatchObject({ response: { status: 404, data: { type: 'resource_not_found_error' } } });
    const other = await scene().createOrder([30_000]);
    await expect(orders.orderCancelRefund(other.id, refundId)).rejects.toMatchObject({ response: { status: 404 } });
    await scene().expectMoved(order.charges.data[0].id, [100]);
  });

  it('should refund by an empty object, the least it can send (CONTRACT §9)', async () => {
    const order = await scene().createOrder([30_000]);
    const { data } = await apis().orders.orderRefund(order.id, {} as OrderRefundRequest);
    expect(data).toMatchObject({ payment_status: 'refunded', amount_refunded: 30_000 });
  });
}
