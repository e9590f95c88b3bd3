import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { call, merchantBackend, orLost, PATIENCE, readOrder, readPayoutOrder, untilAnswered } from './merchant-backend.ts';
import type { Answer, MerchantBackend, PaidOrder } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const postgres = await startPostgres();
let product: Product;
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  product = await startProduct({ databaseUrl: await createDatabase(postgres, 'outages'), settings: { SYNC_WAIT_MS: '2500' } });
  backend = merchantBackend(product.apiUrl);
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await product?.stop();
  await postgres?.stop();
});

/** A total refund that the provider has executed and whose answer stays out. */
async function refundWithoutAnswer() {
  const order = await backend.createOrder(50_000);
  const ask = (): Promise<Answer> => backend.refund(order.orderId, {}, key);
  const key = randomUUID();
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: order.chargeId });
  const asked = orLost(ask());
  await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
  return { order, ask, asked };
}

async function expectRefundedOnce(order: PaidOrder, ask: () => Promise<Answer>): Promise<void> {
  expect(readOrder(await untilAnswered(ask))).toMatchObject({ amount_refunded: 50_000, payment_status: 'refunded' });
  await expectMoved(provider, backend, order, [50_000]);
}

/** An answer that promises nothing and says when to come again. */
function expectTryAgain(answer: Answer): void {
  expect(answer).toMatchObject({ status: 503, body: { object: 'error', type: 'api_error' } });
  expect(Number(answer.header('retry-after'))).toBeGreaterThan(0);
}

/** Looks at things while a server is killed, and has it back whatever was seen. */
async function during(outage: { readonly kill9: () => Promise<void>; readonly comeBack: () => Promise<void> }, look: () => Promise<void>): Promise<void> {
  await outage.kill9();
  try {
    await look();
  } finally {
    await outage.comeBack();
    await untilReady(true);
  }
}

async function untilReady(ready: boolean): Promise<void> {
  await vi.waitFor(async () => expect(await backend.isReady()).toBe(ready), PATIENCE);
}

describe.skipIf(postgres === null)('reintegro api and reintegro worker', () => {
  it('should lose nothing when the Temporal server is killed with -9 and comes back on its file (I1, I2, I3)', { timeout: 120_000 }, async () => {
    const pending = readPayoutOrder(await backend.askForPayoutOrder(3000));
    const calledOff = readPayoutOrder(await backend.askForPayoutOrder(4000));
    const untouched = await backend.createOrder(50_000);
    const askUntouched = ((key) => () => backend.refund(untouched.orderId, {}, key))(randomUUID());
    const { order, ask, asked } = await refundWithoutAnswer();

    await during({ kill9: () => product.temporal.kill9(), comeBack: () => product.restartTemporal() }, async () => {
      await untilReady(false);
      // None of these is acknowledged: nobody could remember it.
      const refused = await Promise.all([askUntouched(), backend.askForPayoutOrder(7000), backend.cancelPayoutOrder(calledOff.id)]);
      for (const answer of refused) expectTryAgain(answer);
      // The caller in the middle is told the truth: not known. What stands on record can be read all the same.
      const inTheMiddle = await asked;
      expect([202, 503]).toContain(inTheMiddle === 'connection lost' ? inTheMiddle : inTheMiddle.status);
      expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'pending' });
      expect(await provider.till(pending.id, 'withdrawal')).toMatchObject({ status: 200 });
    });

    // Nobody asks again for this one: it goes on by itself.
    await vi.waitFor(async () => expect(await backend.books(order)).toHaveLength(1), PATIENCE);
    await expectRefundedOnce(order, ask);
    await expectRefundedOnce(untouched, askUntouched);
    await vi.waitFor(async () => expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'pending_confirmation' }), PATIENCE);
    await provider.till(pending.id, 'confirmation');
    await vi.waitFor(async () => expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'withdrawn' }), PATIENCE);
    await expectMoved(provider, backend, { payoutOrderId: pending.id }, [3000]);
    expect(readPayoutOrder(await untilAnswered(() => backend.cancelPayoutOrder(calledOff.id)))).toMatchObject({ status: 'cancelled' });
  });

  it('should lose nothing when PostgreSQL is killed with -9 in the middle of a refund and comes back (I1, I2, I3)', { timeout: 120_000 }, async () => {
    const pending = readPayoutOrder(await backend.askForPayoutOrder(3000));
    const untouched = await backend.createOrder(50_000);
    const askUntouched = ((key) => () => backend.refund(untouched.orderId, {}, key))(randomUUID());
    const { order, ask, asked } = await refundWithoutAnswer();

    await during({ kill9: async () => postgres?.kill9(), comeBack: async () => postgres?.restart() }, async () => {
      await untilReady(false);
      expect(await call('GET', `${product.workers[0]?.url}/health/ready`)).toMatchObject({ status: 503 });
      expect(await call('GET', `${product.apiUrl}/health/live`)).toMatchObject({ status: 200 });
      expectTryAgain(await askUntouched());
      expectTryAgain(await backend.cancelPayoutOrder(pending.id));
      const inTheMiddle = await asked;
      expect([202, 503]).toContain(inTheMiddle === 'connection lost' ? inTheMiddle : inTheMiddle.status);
    });

    await vi.waitFor(async () => expect(await backend.books(order)).toHaveLength(1), PATIENCE);
    await expectRefundedOnce(order, ask);
    await expectRefundedOnce(untouched, askUntouched);
    expect(readPayoutOrder(await untilAnswered(() => backend.cancelPayoutOrder(pending.id)))).toMatchObject({ status: 'cancelled' });
  });

  it('should finish once what was and what could not be sent when the provider is killed with -9 and comes back (S4, I1, I2)', { timeout: 120_000 }, async () => {
    const unsent = await backend.createOrder(50_000);
    const askUnsent = ((key) => () => backend.refund(unsent.orderId, {}, key))(randomUUID());
    const { order, ask, asked } = await refundWithoutAnswer();

    await during({ kill9: () => product.sandbox.program.kill9(), comeBack: () => product.sandbox.restart() }, async () => {
      // Both are taken in and reserved. One was executed and one was not: neither caller is told a guess.
      expect(await asked).toMatchObject({ status: 202 });
      expect(await askUnsent()).toMatchObject({ status: 202 });
      expectTryAgain(await backend.askForOrder(1000));
    });

    await vi.waitFor(async () => expect([await backend.books(order), await backend.books(unsent)]).toMatchObject([[{}], [{}]]), PATIENCE);
    await expectRefundedOnce(order, ask);
    await expectRefundedOnce(unsent, askUnsent);
  });
});
