import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { expectDone, FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { Paid, RefundAnswer } from '../support/refund-faces.ts';
import { merchantBackend, orLost, PATIENCE, readPayoutOrder, untilAnswered, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
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

/** Asks for all of it again and again, with one key. */
function asking(paid: Paid, key: string = randomUUID()): () => Promise<RefundAnswer> {
  return () => refundFace(paid.face, product).refund(paid, {}, key);
}

/** One of each face, paid and not touched yet. */
async function payBoth(): Promise<readonly { readonly paid: Paid; readonly ask: () => Promise<RefundAnswer> }[]> {
  const paid = await Promise.all(FACE_NAMES.map((face) => refundFace(face, product).pay(50_000)));
  return paid.map((one) => ({ paid: one, ask: asking(one) }));
}

/** Total refunds, one of each face, that the provider has executed and whose answers stay out. */
async function refundsWithoutAnswer() {
  return Promise.all((await payBoth()).map(async ({ paid, ask }) => {
    await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: paid.chargeId });
    const asked = orLost(ask());
    await vi.waitFor(async () => expect(await provider.journal(paid)).toHaveLength(1), PATIENCE);
    return { paid, ask, asked };
  }));
}

async function expectRefundedOnce({ paid, ask }: { readonly paid: Paid; readonly ask: () => Promise<RefundAnswer> }): Promise<void> {
  expectDone(await untilTold(ask), paid, 50_000);
  await expectMoved(provider, backend, paid, [50_000]);
}

/** A caller in the middle of an outage is told the truth: not known. */
async function expectNotKnown(asked: Promise<RefundAnswer | 'connection lost'>): Promise<void> {
  const answer = await asked;
  expect(['under_way', 'unavailable']).toContain(answer === 'connection lost' ? answer : answer.meaning);
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
    const untouched = await payBoth();
    const sent = await refundsWithoutAnswer();

    await during({ kill9: () => product.temporal.kill9(), comeBack: () => product.restartTemporal() }, async () => {
      await untilReady(false);
      // None of these is acknowledged: nobody could remember it.
      const refused = await Promise.all([...untouched.map(({ ask }) => ask()), backend.askForPayoutOrder(7000), backend.cancelPayoutOrder(calledOff.id)]);
      for (const answer of refused) expectTryAgain(answer);
      for (const { asked } of sent) await expectNotKnown(asked);
      // What stands on record can be read all the same.
      expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'pending' });
      expect(await provider.till(pending.id, 'withdrawal')).toMatchObject({ status: 200 });
    });

    // Nobody asks again for these: they go on by themselves.
    for (const { paid } of sent) await vi.waitFor(async () => expect(await backend.books(paid)).toHaveLength(1), PATIENCE);
    for (const refund of [...sent, ...untouched]) await expectRefundedOnce(refund);
    await vi.waitFor(async () => expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'pending_confirmation' }), PATIENCE);
    await provider.till(pending.id, 'confirmation');
    await vi.waitFor(async () => expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'withdrawn' }), PATIENCE);
    await expectMoved(provider, backend, { payoutOrderId: pending.id }, [3000]);
    expect(readPayoutOrder(await untilAnswered(() => backend.cancelPayoutOrder(calledOff.id)))).toMatchObject({ status: 'cancelled' });
  });

  it('should lose nothing when PostgreSQL is killed with -9 in the middle of a refund and comes back (I1, I2, I3)', { timeout: 120_000 }, async () => {
    const pending = readPayoutOrder(await backend.askForPayoutOrder(3000));
    const untouched = await payBoth();
    const sent = await refundsWithoutAnswer();

    await during({ kill9: async () => postgres?.kill9(), comeBack: async () => postgres?.restart() }, async () => {
      await untilReady(false);
      expect(await call('GET', `${product.workers[0]?.url}/health/ready`)).toMatchObject({ status: 503 });
      expect(await call('GET', `${product.apiUrl}/health/live`)).toMatchObject({ status: 200 });
      for (const { ask } of untouched) expectTryAgain(await ask());
      expectTryAgain(await backend.cancelPayoutOrder(pending.id));
      for (const { asked } of sent) await expectNotKnown(asked);
    });

    for (const { paid } of sent) await vi.waitFor(async () => expect(await backend.books(paid)).toHaveLength(1), PATIENCE);
    for (const refund of [...sent, ...untouched]) await expectRefundedOnce(refund);
    expect(readPayoutOrder(await untilAnswered(() => backend.cancelPayoutOrder(pending.id)))).toMatchObject({ status: 'cancelled' });
  });

  it('should finish once what was and what could not be sent when the provider is killed with -9 and comes back (S4, I1, I2)', { timeout: 120_000 }, async () => {
    const unsent = await payBoth();
    const sent = await refundsWithoutAnswer();

    await during({ kill9: () => product.sandbox.program.kill9(), comeBack: () => product.sandbox.restart() }, async () => {
      // All are taken in. Some were executed and some were not: no caller is told a guess.
      const answers = [...await Promise.all(sent.map(({ asked }) => asked)), ...await Promise.all(unsent.map(({ ask }) => ask()))];
      expect(answers).toMatchObject(answers.map(() => ({ meaning: 'under_way' })));
      expectTryAgain(await backend.askForOrder(1000));
    });

    for (const { paid } of [...sent, ...unsent]) await vi.waitFor(async () => expect(await backend.books(paid)).toHaveLength(1), PATIENCE);
    for (const refund of [...sent, ...unsent]) await expectRefundedOnce(refund);
  });
});
