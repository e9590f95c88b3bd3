import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Part, Product } from '../support/product.ts';
import { expectDone, expectRefused, FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundFace } from '../support/refund-faces.ts';
import { merchantBackend, orLost, PATIENCE, readOrder, readPayoutOrder, untilAnswered, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, expectMovedInAnyOrder, providerSide } from './provider-side.ts';
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

/** A merchant at a face of the API of this number. */
function faceAt(face: FaceName, index: number): RefundFace {
  return refundFace(face, { apiUrl: partAt(product.apis, index).url, sandboxUrl: product.sandboxUrl });
}

/** Asks the first API for a total refund and waits until the provider has moved the money; its answer stays out. */
async function refundWithoutAnswer(paid: Paid, key: string) {
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: paid.chargeId });
  const asked = orLost(faceAt(paid.face, 0).refund(paid, {}, key));
  await vi.waitFor(async () => expect(await provider.journal(paid)).toHaveLength(1), PATIENCE);
  return { asked };
}

/** The Worker process that has the call to the provider in its hands. */
async function workerSending(paid: Paid, key: string): Promise<Part> {
  const workflowId = refundWorkflowId('merchant_demo', deriveRefundId('merchant_demo', paid.orderId, key));
  const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
  const pid = Number(raw.pendingActivities?.[0]?.lastWorkerIdentity?.split('@')[0]);
  const worker = product.workers.find(({ program }) => program.pid === pid);
  if (worker === undefined) throw new Error('no Worker of ours has the call');
  return worker;
}

/** One paid thing of each face, with a total refund whose answer stays out. */
async function refundsWithoutAnswer(amountMinor: number) {
  return Promise.all(FACE_NAMES.map(async (face) => {
    const [paid, key] = [await faceAt(face, 0).pay(amountMinor), randomUUID()];
    const { asked } = await refundWithoutAnswer(paid, key);
    return { paid, key, asked, workerNow: () => workerSending(paid, key), askSecond: () => faceAt(face, 1).refund(paid, {}, key) };
  }));
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

  it('should make one payout order of the same key posted to both APIs at once (R8)', async () => {
    const payoutKey = randomUUID();
    const payouts = await Promise.all([first, second, first, second].map((backend) => untilAnswered(() => backend.askForPayoutOrder(5000, payoutKey))));
    const ids = new Set(payouts.map((answer) => readPayoutOrder(answer).id));
    expect(ids.size).toBe(1);
    expect((await provider.findPayoutOrders([...ids][0] ?? '')).body).toMatchObject({ data: [{ amount: 5000 }] });
    expect(await second.askForPayoutOrder(6000, payoutKey)).toMatchObject({ status: 422 });
  });

  it.each(FACE_NAMES)('should make one refund of the same key posted to both APIs at once, over the face of %s (R8, R11)', async (face) => {
    const [paid, key] = [await faceAt(face, 0).pay(10_000), randomUUID()];
    const refunds = await Promise.all([0, 1, 0, 1].map((index) => untilTold(() => faceAt(face, index).refund(paid, { amountMinor: 2500 }, key))));
    for (const answer of refunds) expectDone(answer, paid, 2500);
    expect(new Set(refunds.map((answer) => answer.header('reintegro-refund-id'))).size).toBe(1);
    await expectMoved(provider, first, paid, [2500]);
  });

  it.each(FACE_NAMES)('should never refund more than was captured, whatever is asked at once over both APIs and the face of %s (M2, M3, M5, S5)', { timeout: 120_000 }, async (face) => {
    const capturedMinor = 100_000;
    const paid = await faceAt(face, 0).pay(capturedMinor);
    // 50 × 30.00 is more than there is, and 1000.00 is no multiple of 30.00: the total always finds something left.
    const asked = Array.from({ length: 51 }, (_, index) => ({ at: faceAt(face, index % 2), wish: index === 25 ? {} : { amountMinor: 3000 }, key: randomUUID() }));
    const answers = await Promise.all(asked.map(({ at, wish, key }) => untilTold(() => at.refund(paid, wish, key))));
    const journal = await provider.journal(paid);
    expect(journal.reduce((sum, { amount }) => sum + amount, 0)).toBe(capturedMinor);
    expect(journal.filter(({ amount }) => amount !== 3000)).toHaveLength(1);
    // Each caller has the true answer: as many successes as movements, and refusals for the rest.
    expect(answers.filter(({ meaning }) => meaning === 'done')).toHaveLength(journal.length);
    expect(answers[25]).toMatchObject({ meaning: 'done' });
    for (const answer of answers.filter(({ meaning }) => meaning === 'refused')) expectRefused(answer, answer.status === 428 ? 428 : 422);
    await expectMovedInAnyOrder(provider, first, paid, journal.map(({ amount }) => amount));
  });

  it('should answer the same refunds of either face by the other API when one is killed with -9 in the middle (R8, R11)', async () => {
    const refunds = await refundsWithoutAnswer(40_000);
    const api = partAt(product.apis, 0);
    await api.program.kill9();
    for (const { paid, key, asked, askSecond } of refunds) {
      expect(await asked).toBe('connection lost');
      const answer = await untilTold(askSecond);
      expectDone(answer, paid, 40_000);
      expect(answer.header('reintegro-refund-id')).toBe(deriveRefundId('merchant_demo', paid.orderId, key));
      await expectMoved(provider, second, paid, [40_000]);
    }
    await api.restart();
  });

  it.each(FACE_NAMES)('should finish once what a Worker killed with -9 had sent over the face of %s, by the other one (S4, I1, I2)', { timeout: 90_000 }, async (face) => {
    const [paid, key] = [await faceAt(face, 0).pay(50_000), randomUUID()];
    const { asked } = await refundWithoutAnswer(paid, key);
    const worker = await workerSending(paid, key);
    await worker.program.kill9();
    // The caller never gets a guess: it is under way while it is being found out, and then refunded.
    const answer = await asked;
    expect(answer === 'connection lost' ? answer : answer.meaning).toBe('under_way');
    expectDone(await untilTold(() => faceAt(face, 1).refund(paid, {}, key)), paid, 50_000);
    await expectMoved(provider, first, paid, [50_000]);
    await worker.restart();
  });

  it('should end an API and its Workers in good order by SIGTERM without losing the refunds of either face under way (I3)', async () => {
    const refunds = await refundsWithoutAnswer(60_000);
    const workers = new Set(await Promise.all(refunds.map(({ workerNow }) => workerNow())));
    const ended = [partAt(product.apis, 0), ...workers];
    // `stop` kills what does not end for half a minute, and then there is no exit code.
    await Promise.all(ended.map(({ program }) => program.stop()));
    expect(await Promise.all(ended.map(({ program }) => program.exited))).toEqual(ended.map(() => ({ code: 0, signal: null })));
    // Each may have had one of the calls; somebody has to be left to find out.
    if (workers.size === product.workers.length) await partAt(product.workers, 0).restart();
    for (const { paid, asked, askSecond } of refunds) {
      const answer = await asked;
      expect(['done', 'under_way']).toContain(answer === 'connection lost' ? answer : answer.meaning);
      expectDone(await untilTold(askSecond), paid, 60_000);
      await expectMoved(provider, second, paid, [60_000]);
    }
  });
});
