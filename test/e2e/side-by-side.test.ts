import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { ReintegroClient } from '../../src/client/reintegro-client.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { call } from '../support/http-call.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { decimal, expectDone, expectRefused, expectUnderWay, payAtGateway, refundFace, refundPath } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundFace } from '../support/refund-faces.ts';
import { merchantBackend, PATIENCE, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const MERCHANT = 'merchant_demo';

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
let db: Database;
let client: ReintegroClient;
let faces: Readonly<Record<FaceName, RefundFace>>;
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const url = await createDatabase(postgres, 'side_by_side');
  product = await startProduct({ databaseUrl: url, settings: { SYNC_WAIT_MS: '5000' } });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  client = createReintegroClient({ client: temporal.client });
  db = openDatabase({ kind: 'postgres', url, poolSize: 2 });
  faces = { conekta: refundFace('conekta', product), gateway: refundFace('gateway', product) };
  backend = merchantBackend(product.apiUrl);
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await db?.destroy();
  await temporal?.close();
  await product?.stop();
  await postgres?.stop();
});

/** Which provider a refund is on record for, and what of it. */
async function onRecord(refundId: string): Promise<unknown> {
  return db.selectFrom('refunds').select(['provider', 'order_id', 'amount_minor', 'currency', 'status']).where('merchant_id', '=', MERCHANT).where('refund_id', '=', refundId).executeTakeFirst();
}

function recordOf({ face, orderId, currency }: Paid, amountMinor: number): object {
  return { provider: face, order_id: orderId, amount_minor: amountMinor, currency, status: 'refunded' };
}

/** The last refund of a payment, as the face shows it. */
async function messageOf(payment: Paid): Promise<{ readonly text: string; readonly body: unknown }> {
  const answer = await call('GET', `${product.apiUrl}${refundPath(payment)}`, { key: 'key_demo' });
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

describe.skipIf(postgres === null)('a payment of the gateway and an order of Conekta, refunded by one merchant', () => {
  it('should be two refunds under one key, at one time and of one amount, each once at its own provider (R8, I1, I2)', async () => {
    const [order, payment] = await Promise.all([faces.conekta.pay(30_000), faces.gateway.pay(30_000)]);
    const key = randomUUID();
    const asked = await Promise.all([order, payment, order, payment].map(async (paid) => ({ paid, answer: await untilTold(() => faces[paid.face].refund(paid, { amountMinor: 12_345 }, key)) })));
    for (const { paid, answer } of asked) {
      expectDone(answer, paid, 12_345);
      expect(answer.header('reintegro-refund-id')).toBe(deriveRefundId(MERCHANT, paid.orderId, key));
    }
    for (const paid of [order, payment]) {
      await expectMoved(provider, backend, paid, [12_345]);
      expect(await onRecord(deriveRefundId(MERCHANT, paid.orderId, key))).toEqual(recordOf(paid, 12_345));
    }
    // What remains of the one is no matter of the other.
    expectDone(await faces.gateway.refund(payment, {}), payment, 17_655, 30_000);
    await expectMoved(provider, backend, order, [12_345]);
    expectRefused(await faces.gateway.refund(payment, {}), 428, 'precondition_required.payment.is_not_refundable');
    expectDone(await faces.conekta.refund(order, {}), order, 17_655, 30_000);
    expectRefused(await faces.conekta.refund(order, {}), 428, 'precondition_required.combo.order.is_not_returnable');
  });

  it('should be told apart by the typed client as well, the own provider named or not (A4, R8)', async () => {
    const [order, named, payment] = await Promise.all([faces.conekta.pay(30_000), faces.conekta.pay(30_000), faces.gateway.pay(30_000)]);
    const key = randomUUID();
    const terms = { merchantId: MERCHANT, amountMinor: 700, idempotencyKey: key, requestedBy: 'key_demo' } as const;
    const answers = await Promise.all([
      client.requestRefund({ ...terms, orderId: order.orderId }), client.requestRefund({ ...terms, orderId: named.orderId, provider: 'conekta' }),
      client.requestRefund({ ...terms, orderId: payment.orderId, chargeId: payment.chargeId, provider: 'gateway' }),
    ]);
    for (const [index, paid] of [order, named, payment].entries()) {
      const refundId = deriveRefundId(MERCHANT, paid.orderId, key);
      expect(answers[index]).toMatchObject({ refundId, view: { status: 'refunded', amountMinor: 700 } });
      expect(await onRecord(refundId)).toEqual(recordOf(paid, 700));
      await expectMoved(provider, backend, paid, [700]);
    }
    // By the faces and the same key it is the same refund.
    for (const paid of [order, payment]) {
      const repeated = await faces[paid.face].refund(paid, { amountMinor: 700 }, key);
      expectDone(repeated, paid, 700);
      expect(repeated.header('idempotent-replayed')).toBe('true');
      await expectMoved(provider, backend, paid, [700]);
    }
  });

  it('should not be taken for one another: unknown is a payment with the id of an order on record, and what is not there at the own provider (CONTRACT §6)', async () => {
    const order = await faces.conekta.pay(30_000);
    expectDone(await faces.conekta.refund(order, { amountMinor: 100 }), order, 100);
    const [payment, double] = [await faces.gateway.pay(30_000), await faces.gateway.pay(30_000)];
    // The sandbox gives no id twice; two providers may.
    await saveOrder(db, MERCHANT, 'conekta', { orderId: double.orderId, currency: 'MXN', raw: {}, charges: [] }, new Date());
    const journal = await provider.journalOfAll();
    expectRefused(await faces.gateway.refund(double, { amountMinor: 200 }), 404, 'resource_not_found.entity');
    // Whatever either provider has under the id, each face asks its own.
    expectRefused(await faces.conekta.refund(payment, { amountMinor: 200 }), 404, 'resource_not_found.entity');
    const strange = await faces.conekta.pay(30_000);
    expectRefused(await faces.gateway.refund(strange, { amountMinor: 200 }), 404, 'resource_not_found.entity');
    expect(await provider.journalOfAll()).toEqual(journal);
    expect(await backend.books(double)).toEqual([]);
    expect(await db.selectFrom('charges').select('charge_id').where('order_id', '=', double.orderId).execute()).toEqual([]);
    // A stranger's question has not taken the id from its own provider.
    expectDone(await faces.gateway.refund(payment, { amountMinor: 300 }), payment, 300);
    expectDone(await faces.conekta.refund(strange, { amountMinor: 300 }), strange, 300);
    expectDone(await faces.conekta.refund(order, { amountMinor: 400 }), order, 400, 500);
  });
});

describe.skipIf(postgres === null).concurrent('the gateway’s own words over its face', () => {
  it.each(['in_process', 'review', 'validate', 'deferred', 'pending'])('should show a refund that the gateway has %s as authorized, with the finer word beside, and follow it to its end (A2, R6)', async (word) => {
    const payment = await faces.gateway.pay(20_000);
    const key = randomUUID();
    await provider.arm({ operation: 'refund', mode: 'async', status: word, delay_ms: 3_600_000, charge_id: payment.chargeId });
    const asked = await faces.gateway.refund(payment, { amountMinor: 5000 }, key);
    expectUnderWay(asked, payment);
    await vi.waitFor(async () => expect((await messageOf(payment)).body).toMatchObject({ status: 'authorized', status_detail: `accepted_by_provider: ${word}` }), PATIENCE);
    await expectMoved(provider, backend, payment, []);
    const [listed] = await provider.refundsOf(payment);
    expect(await provider.sayStatus(listed?.id ?? '', 'refunded')).toMatchObject({ status: 200 });
    expectDone(await untilTold(() => faces.gateway.refund(payment, { amountMinor: 5000 }, key)), payment, 5000);
    await expectMoved(provider, backend, payment, [5000]);
  });

  it.each([['dismissed', 'dismissed_at_provider'], ['cancelled', 'cancelled_at_provider'], ['rejected', 'failed_at_provider']])('should reject a refund that the gateway has %s, and say so, before and after it was refunded (S7, M4, R9)', async (word, detail) => {
    const [early, late] = await Promise.all([faces.gateway.pay(20_000), faces.gateway.pay(20_000)]);
    const [earlyKey, lateKey] = [randomUUID(), randomUUID()];
    await provider.arm({ operation: 'refund', mode: 'async_failure', status: word, delay_ms: 1500, charge_id: early.chargeId });
    expectUnderWay(await faces.gateway.refund(early, {}, earlyKey), early);
    expectDone(await faces.gateway.refund(late, {}, lateKey), late, 20_000);
    const [listed] = await provider.refundsOf(late);
    expect(await provider.sayStatus(listed?.id ?? '', word)).toMatchObject({ status: 200 });
    expectRefused(await untilTold(() => faces.gateway.refund(early, {}, earlyKey)), 402, 'processing.charge_operations.refund.declined');
    expect((await messageOf(early)).body).toMatchObject({ status: 'rejected', status_detail: detail });
    await vi.waitFor(async () => expect((await messageOf(late)).body).toMatchObject({ status: 'rejected' }), PATIENCE);
    expectRefused(await faces.gateway.refund(late, {}, lateKey), 402, 'processing.charge_operations.refund.declined');
    const moved = [{ kind: 'refund', amount: 20_000, currency: 'ARS' }, { kind: 'refund_failed', amount: 20_000, currency: 'ARS' }];
    expect({ journal: await provider.journal(late), books: await backend.books(late) }).toEqual({ journal: moved, books: moved });
    await expectMoved(provider, backend, early, []);
    // Both amounts are free again.
    for (const payment of [early, late]) expectDone(await faces.gateway.refund(payment, {}), payment, 20_000);
  });

  it('should notice by a look that a refund under way failed, when no webhook tells (R6)', { timeout: 90_000 }, async () => {
    const payment = await faces.gateway.pay(20_000);
    const key = randomUUID();
    await provider.arm({ operation: 'webhook', mode: 'drop', times: 10, charge_id: payment.chargeId });
    await provider.arm({ operation: 'refund', mode: 'async_failure', status: 'dismissed', delay_ms: 1500, charge_id: payment.chargeId });
    expectUnderWay(await faces.gateway.refund(payment, {}, key), payment);
    expectRefused(await untilTold(() => faces.gateway.refund(payment, {}, key)), 402);
    expect((await messageOf(payment)).body).toMatchObject({ status: 'rejected', status_detail: 'dismissed_at_provider' });
    await expectMoved(provider, backend, payment, []);
  });

  it('should show fees to the centavo beside the amount, of all types and payers, and give the amount back whole (R7, M1)', async () => {
    const types = ['fee', 'carrier_fee', 'media_payment_cost', 'carrier_cost', 'refund_cost', 'deferred_cost', 'discount'];
    // 0.10 + 0.20 and the like, which no binary fraction holds.
    const fees = types.map((type, index) => `{"type":"${type}","fee_payer":"${index % 2 === 0 ? 'collector' : 'payer'}","description":"${type} ${index}","amount":${decimal(10 + index * 10)}}`);
    const payment = await payAtGateway(product.sandboxUrl, 'key_sandbox_demo', { amountMinor: 9_007_199_254_740_991, fields: { refund_fees: `[${fees.join(',')}]` } });
    const answer = await faces.gateway.refund(payment, {});
    expectDone(answer, payment, 9_007_199_254_740_991);
    for (const text of [answer.text, (await messageOf(payment)).text]) {
      expect(text).toContain('"amount":90071992547409.91,');
      expect(/"fee_details":(?<list>\[[^\]]*\])/.exec(text)?.groups?.['list']).toBe(`[${fees.join(',')}]`);
    }
    await expectMoved(provider, backend, payment, [9_007_199_254_740_991]);
  });
});
