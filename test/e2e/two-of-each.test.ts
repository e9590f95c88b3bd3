import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Part, Product } from '../support/product.ts';
import { merchantBackend, orLost, PATIENCE, readOrder, readPayoutOrder, untilAnswered } from './merchant-backend.ts';
import type { MerchantBackend, PaidOrder } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
/** The same merchant, by way of either API process. */
let first: MerchantBackend;
let second: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  product = await startProduct({ databaseUrl: await createDatabase(postgres, 'two_of_each'), apis: 2, workers: 2 });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  first = merchantBackend(partAt(product.apis, 0).url);
  second = merchantBackend(partAt(product.apis, 1).url);
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await temporal?.close();
  await product?.stop();
  await postgres?.stop();
});

function partAt(parts: readonly Part[], index: number): Part {
  const part = parts[index];
  if (part === undefined) throw new Error(`there is no part ${index}`);
  return part;
}

/** Asks the first API for a total refund and waits until the provider has moved the money; its answer stays out. */
async function refundWithoutAnswer(order: PaidOrder, key: string) {
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: order.chargeId });
  const asked = orLost(first.refund(order.orderId, {}, key));
  await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
  return { asked };
}

/** The Worker process that has the call to the provider in its hands. */
async function workerSending(order: PaidOrder, key: string): Promise<Part> {
  const workflowId = refundWorkflowId('merchant_demo', deriveRefundId('merchant_demo', order.orderId, key));
  const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
  const pid = Number(raw.pendingActivities?.[0]?.lastWorkerIdentity?.split('@')[0]);
  const worker = product.workers.find(({ program }) => program.pid === pid);
  if (worker === undefined) throw new Error('no Worker of ours has the call');
  return worker;
}

describe.skipIf(postgres === null)('two reintegro api and two reintegro worker on one PostgreSQL', () => {
  it('should serve one merchant by either API alike: refunds, payout orders, their answers (A1)', async () => {
    const order = await first.createOrder(30_000);
    expect(readOrder(await first.refund(order.orderId, { amount: 10_000 }))).toMatchObject({ amount_refunded: 10_000, payment_status: 'partially_refunded' });
    expect(readOrder(await second.refund(order.orderId, {}))).toMatchObject({ amount_refunded: 30_000, payment_status: 'refunded' });
    expect(await first.refund(order.orderId, {})).toMatchObject({ status: 428, body: { type: 'precondition_required_error' } });
    await expectMoved(provider, second, order, [10_000, 20_000]);

    const collected = readPayoutOrder(await first.askForPayoutOrder(3000));
    expect(await second.payoutOrder(collected.id)).toMatchObject({ status: 'pending' });
    await provider.till(collected.id, 'withdrawal');
    await vi.waitFor(async () => expect(await second.payoutOrder(collected.id)).toMatchObject({ status: 'pending_confirmation' }), PATIENCE);
    await provider.till(collected.id, 'confirmation');
    await vi.waitFor(async () => expect(await second.payoutOrder(collected.id)).toMatchObject({ status: 'withdrawn' }), PATIENCE);
    await expectMoved(provider, first, { payoutOrderId: collected.id }, [3000]);

    const calledOff = readPayoutOrder(await second.askForPayoutOrder(4000));
    expect(readPayoutOrder(await first.cancelPayoutOrder(calledOff.id))).toMatchObject({ status: 'cancelled' });
    expect(await second.cancelPayoutOrder(calledOff.id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await provider.till(calledOff.id, 'withdrawal')).toMatchObject({ status: 409 });
    await expectMoved(provider, second, { payoutOrderId: calledOff.id }, []);
  });

  it('should make one refund and one payout order of the same key posted to both APIs at once (R8, R11)', async () => {
    const order = await first.createOrder(10_000);
    const [key, payoutKey] = [randomUUID(), randomUUID()];
    const backends = [first, second, first, second];
    const refunds = await Promise.all(backends.map((backend) => untilAnswered(() => backend.refund(order.orderId, { amount: 2500 }, key))));
    for (const answer of refunds) expect(readOrder(answer)).toMatchObject({ amount_refunded: 2500 });
    expect(new Set(refunds.map((answer) => answer.header('reintegro-refund-id'))).size).toBe(1);
    await expectMoved(provider, first, order, [2500]);

    const payouts = await Promise.all(backends.map((backend) => untilAnswered(() => backend.askForPayoutOrder(5000, payoutKey))));
    const ids = new Set(payouts.map((answer) => readPayoutOrder(answer).id));
    expect(ids.size).toBe(1);
    expect((await provider.findPayoutOrders([...ids][0] ?? '')).body).toMatchObject({ data: [{ amount: 5000 }] });
    expect(await second.askForPayoutOrder(6000, payoutKey)).toMatchObject({ status: 422 });
  });

  it('should never refund more than was captured, whatever is asked at once over both APIs (M2, M3, M5, S5)', { timeout: 120_000 }, async () => {
    const capturedMinor = 100_000;
    const order = await first.createOrder(capturedMinor);
    // 50 × 30.00 is more than there is, and 1000.00 is no multiple of 30.00: the total always finds something left.
    const asked = Array.from({ length: 51 }, (_, index) => ({ backend: index % 2 === 0 ? first : second, body: index === 25 ? {} : { amount: 3000 }, key: randomUUID() }));
    const answers = await Promise.all(asked.map(({ backend, body, key }) => untilAnswered(() => backend.refund(order.orderId, body, key))));
    const journal = await provider.journal(order);
    expect(journal.reduce((sum, { amount }) => sum + amount, 0)).toBe(capturedMinor);
    expect(journal.filter(({ amount }) => amount !== 3000)).toHaveLength(1);
    // Each caller has the true answer: as many successes as movements, and refusals for the rest.
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(journal.length);
    expect(answers[25]).toMatchObject({ status: 200 });
    for (const { status } of answers) expect([200, 422, 428]).toContain(status);
    await expectMoved(provider, second, order, journal.map(({ amount }) => amount));
  });

  it('should answer the same refund by the other API when one is killed with -9 in the middle (R8, R11)', async () => {
    const order = await first.createOrder(40_000);
    const key = randomUUID();
    const { asked } = await refundWithoutAnswer(order, key);
    const api = partAt(product.apis, 0);
    await api.program.kill9();
    expect(await asked).toBe('connection lost');
    const answer = await untilAnswered(() => second.refund(order.orderId, {}, key));
    expect(readOrder(answer)).toMatchObject({ amount_refunded: 40_000 });
    expect(answer.header('reintegro-refund-id')).toBe(deriveRefundId('merchant_demo', order.orderId, key));
    await expectMoved(provider, second, order, [40_000]);
    await api.restart();
  });

  it('should finish once what a Worker killed with -9 had sent, by the other one (S4, I1, I2)', { timeout: 90_000 }, async () => {
    const order = await first.createOrder(50_000);
    const key = randomUUID();
    const { asked } = await refundWithoutAnswer(order, key);
    const worker = await workerSending(order, key);
    await worker.program.kill9();
    // The caller never gets a guess: 202 while it is being found out, then the refund.
    const answer = await asked;
    expect(answer === 'connection lost' ? answer : answer.status).toBe(202);
    expect(readOrder(await untilAnswered(() => second.refund(order.orderId, {}, key)))).toMatchObject({ amount_refunded: 50_000, payment_status: 'refunded' });
    await expectMoved(provider, first, order, [50_000]);
    await worker.restart();
  });

  it('should end an API and a Worker in good order by SIGTERM without losing the refund under way (I3)', async () => {
    const order = await first.createOrder(60_000);
    const key = randomUUID();
    const { asked } = await refundWithoutAnswer(order, key);
    const worker = await workerSending(order, key);
    const api = partAt(product.apis, 0);
    // `stop` kills what does not end for half a minute, and then there is no exit code.
    await Promise.all([api.program.stop(), worker.program.stop()]);
    expect([await api.program.exited, await worker.program.exited]).toEqual([{ code: 0, signal: null }, { code: 0, signal: null }]);
    const answer = await asked;
    expect([200, 202]).toContain(answer === 'connection lost' ? answer : answer.status);
    expect(readOrder(await untilAnswered(() => second.refund(order.orderId, {}, key)))).toMatchObject({ amount_refunded: 60_000 });
    await expectMoved(provider, second, order, [60_000]);
  });
});
