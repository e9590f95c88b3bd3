import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { ReintegroClient } from '../../src/client/reintegro-client.ts';
import { listCases } from '../../src/store/cases.ts';
import { openDatabase } from '../../src/store/database.ts';
import { saveRefundPolicy } from '../../src/store/merchants.ts';
import type { Database } from '../../src/store/database.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { call, merchantBackend, PATIENCE, readOrder, untilAnswered } from './merchant-backend.ts';
import type { MerchantBackend, PaidOrder } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const MERCHANT = 'merchant_demo';
const OPERATOR = { actor: 'operator_1', reason: 'told by the provider on the phone' };

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
let db: Database;
let client: ReintegroClient;
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const url = await createDatabase(postgres, 'refund_life');
  product = await startProduct({ databaseUrl: url, apis: 1, workers: 1 });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  client = createReintegroClient({ client: temporal.client });
  db = openDatabase({ kind: 'postgres', url, poolSize: 2 });
  backend = merchantBackend(product.apiUrl);
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await db?.destroy();
  await temporal?.close();
  await product?.stop();
  await postgres?.stop();
});

/** Arms faults of the sandbox for refunds of one charge. */
async function arm(order: PaidOrder, fault: Readonly<Record<string, unknown>>): Promise<void> {
  expect(await call('POST', `${product.sandboxUrl}/sandbox/faults`, { body: { operation: 'refund', charge_id: order.chargeId, ...fault } })).toMatchObject({ status: 200 });
}

/** The statuses a refund has been through, as the audit trail has them. */
async function statuses(refundId: string): Promise<readonly string[]> {
  const rows = await db.selectFrom('transitions').select(['from_status', 'to_status']).where('subject_id', '=', refundId).orderBy('transition_id').execute();
  return rows.filter((row) => row.from_status !== row.to_status).map((row) => row.to_status);
}

async function openCases(refundId: string): Promise<readonly string[]> {
  return (await listCases(db, MERCHANT, { refundId })).filter(({ status }) => status === 'open').map(({ kind }) => kind);
}

describe.skipIf(postgres === null).concurrent('the life of a refund at a provider that takes its time', () => {
  it('should follow an asynchronous refund by webhook from authorized over approved to refunded, and move money once (R6, A8)', async () => {
    const order = await backend.createOrder(30_000);
    const key = randomUUID();
    await arm(order, { mode: 'async', delay_ms: 3000 });
    const first = await backend.refund(order.orderId, {}, key);
    expect(first).toMatchObject({ status: 202, body: { object: 'order', id: order.orderId } });
    expect(first.header('location')).toBe(`/orders/${order.orderId}`);
    await expectMoved(provider, backend, order, []);
    expect(readOrder(await untilAnswered(() => backend.refund(order.orderId, {}, key)))).toMatchObject({ amount_refunded: 30_000, payment_status: 'refunded' });
    expect(await statuses(deriveRefundId(MERCHANT, order.orderId, key))).toEqual(['pending', 'in_process', 'authorized', 'approved', 'refunded']);
    await expectMoved(provider, backend, order, [30_000]);
  });

  it('should find out by looking when no webhook arrives, and give the amount free when the provider fails (R6, M4)', { timeout: 90_000 }, async () => {
    const order = await backend.createOrder(20_000);
    const key = randomUUID();
    expect(await call('POST', `${product.sandboxUrl}/sandbox/faults`, { body: { operation: 'webhook', mode: 'drop', times: 10, charge_id: order.chargeId } })).toMatchObject({ status: 200 });
    await arm(order, { mode: 'async_failure', delay_ms: 2000 });
    expect(await backend.refund(order.orderId, { amount: 15_000 }, key)).toMatchObject({ status: 202 });
    // Held while it is not known: no more than what remains beside it can be refunded.
    expect(await backend.refund(order.orderId, { amount: 10_000 })).toMatchObject({ status: 422 });
    expect(await untilAnswered(() => backend.refund(order.orderId, { amount: 15_000 }, key))).toMatchObject({ status: 402 });
    expect(readOrder(await backend.refund(order.orderId, {}))).toMatchObject({ amount_refunded: 20_000 });
    await expectMoved(provider, backend, order, [20_000]);
  });

  it('should book a late failure once, make the amount refundable again, and wait for an operator to take note (R9, O1, O2, O3)', async () => {
    const order = await backend.createOrder(10_000);
    const key = randomUUID();
    const refundId = deriveRefundId(MERCHANT, order.orderId, key);
    await arm(order, { mode: 'late_failure', delay_ms: 1500 });
    expect(readOrder(await backend.refund(order.orderId, {}, key))).toMatchObject({ amount_refunded: 10_000 });
    await vi.waitFor(async () => expect(await openCases(refundId)).toEqual(['late_failure']), PATIENCE);
    const moved = [{ kind: 'refund', amount: 10_000, currency: 'MXN' }, { kind: 'refund_failed', amount: 10_000, currency: 'MXN' }];
    expect({ journal: await provider.journal(order), books: await backend.books(order) }).toEqual({ journal: moved, books: moved });
    expect(await statuses(refundId)).toEqual(['pending', 'in_process', 'refunded', 'rejected']);
    expect(readOrder(await backend.refund(order.orderId, {}))).toMatchObject({ amount_refunded: 10_000, payment_status: 'refunded' });
    await client.acknowledgeLateFailure(MERCHANT, refundId, OPERATOR);
    expect(await openCases(refundId)).toEqual([]);
    expect((await listCases(db, MERCHANT, { refundId }))[0]).toMatchObject({ resolution: 'acknowledged', resolvedBy: 'operator_1' });
  });
});

describe.skipIf(postgres === null).concurrent('what people do about a refund', () => {
  it('should wait for a second person above the threshold, and for nobody below it (R3, O3)', async () => {
    // A merchant of its own: its policy holds for all of its refunds.
    const [merchant, other] = ['merchant_demo_two', merchantBackend(product.apiUrl, 'key_demo_two')];
    await saveRefundPolicy(db, merchant, { reviewThresholdMinor: 40_000 });
    const order = await other.createOrder(50_000);
    const key = randomUUID();
    const refundId = deriveRefundId(merchant, order.orderId, key);
    expect(await other.refund(order.orderId, { amount: 40_000 }, key)).toMatchObject({ status: 202 });
    // It holds its amount and not the charge's gate.
    expect(readOrder(await other.refund(order.orderId, { amount: 5000 }))).toMatchObject({ amount_refunded: 5000 });
    await expect(client.approveRefund(merchant, refundId, { actor: 'key_demo_two', reason: 'I want it' })).rejects.toMatchObject({ name: 'ActRefusedError', why: 'same_person' });
    await expectMoved(provider, other, order, [5000]);
    expect(await client.approveRefund(merchant, refundId, OPERATOR)).toMatchObject({ refundId });
    expect(readOrder(await untilAnswered(() => other.refund(order.orderId, { amount: 40_000 }, key)))).toMatchObject({ amount_refunded: 45_000 });
    expect(await statuses(refundId)).toEqual(['pending', 'review', 'in_process', 'refunded']);
    expect(await db.selectFrom('transitions').select(['actor', 'reason']).where('subject_id', '=', refundId).where('status_detail', '=', 'reviewed').execute()).toEqual([OPERATOR]);
    await expectMoved(provider, other, order, [5000, 40_000]);
  });

  it('should end a refund whose outcome nobody knows by the word of a human, and only then let others of the charge go on (S4, O2)', { timeout: 90_000 }, async () => {
    const order = await backend.createOrder(10_000);
    const [key, next] = [randomUUID(), randomUUID()];
    const refundId = deriveRefundId(MERCHANT, order.orderId, key);
    await arm(order, { mode: 'hang', times: 3 });
    expect(await backend.refund(order.orderId, { amount: 4000 }, key)).toMatchObject({ status: 202 });
    await vi.waitFor(async () => expect(await openCases(refundId)).toEqual(['outcome_unknown']), PATIENCE);
    const waiting = backend.refund(order.orderId, { amount: 6000 }, next);
    await expect(client.resolveRefund(MERCHANT, refundId, { ...OPERATOR, outcome: 'succeeded', providerRefundId: '' })).rejects.toMatchObject({ why: 'malformed' });
    expect(await client.resolveRefund(MERCHANT, refundId, { ...OPERATOR, outcome: 'failed' })).toMatchObject({ status: 'rejected', statusDetail: 'resolved_as_failed' });
    expect([200, 202]).toContain((await waiting).status);
    expect(readOrder(await untilAnswered(() => backend.refund(order.orderId, { amount: 6000 }, next)))).toMatchObject({ amount_refunded: 6000 });
    expect(await openCases(refundId)).toEqual([]);
    await expectMoved(provider, backend, order, [6000]);
  });

  it('should not let a refund whose Workflow was terminated block its charge, nor pay it twice (S5, I1)', { timeout: 120_000 }, async () => {
    const order = await backend.createOrder(10_000);
    const [key, next] = [randomUUID(), randomUUID()];
    const refundId = deriveRefundId(MERCHANT, order.orderId, key);
    await arm(order, { mode: 'timeout' });
    const lost = backend.refund(order.orderId, { amount: 4000 }, key);
    await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
    await temporal.client.workflow.getHandle(refundWorkflowId(MERCHANT, refundId)).terminate('by hand');
    await lost;
    expect(readOrder(await vi.waitFor(() => untilAnswered(() => backend.refund(order.orderId, { amount: 6000 }, next)), { timeout: 100_000, interval: 500 }))).toMatchObject({ amount_refunded: 10_000 });
    expect(await statuses(refundId)).toEqual(['pending', 'in_process', 'refunded']);
    expect((await listCases(db, MERCHANT, { refundId })).map(({ kind, status }) => [kind, status])).toEqual([['workflow_gone', 'resolved']]);
    await expectMoved(provider, backend, order, [4000, 6000]);
  });
});
