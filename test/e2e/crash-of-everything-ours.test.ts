import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { expectDone, expectUnderWay, FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { RefundFace } from '../support/refund-faces.ts';
import { merchantBackend, orLost, PATIENCE, readPayoutOrder, untilAnswered, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

let product: Product;
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  // Room for the kill, between a send and the moment it is given up and within the settle delay; a lost worker is waited out longer than that anyway.
  product = await startProduct({ settings: { CONEKTA_TIMEOUT_MS: '4000', CONEKTA_SETTLE_DELAY_MS: '3000' } });
  backend = merchantBackend(product.apiUrl);
  provider = providerSide(product.sandboxUrl);
});
afterAll(() => product?.stop());

/** What is under way over a face when everything is killed: executed by the provider, not executed, and one that is being verified. */
async function begin(face: RefundFace) {
  const [executed, hanging, verified] = [await face.pay(50_000), await face.pay(20_000), await face.pay(10_000)];
  const [executedKey, hangingKey, verifiedKey] = [randomUUID(), randomUUID(), randomUUID()];
  const asks = {
    executed: () => face.refund(executed, { amountMinor: 12_500 }, executedKey), hanging: () => face.refund(hanging, {}, hangingKey), verified: () => face.refund(verified, {}, verifiedKey),
  };
  // This one waits in its settle delay already: its caller has got the answer that says so.
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: verified.chargeId });
  expectUnderWay(await asks.verified(), verified);
  return { executed, hanging, verified, asks };
}

describe('reintegro serve, killed with -9', () => {
  it('should finish everything under way exactly once, over either face: what the provider had executed, what it had not, what was being verified (S4, R8, R11, I1, I2)', { timeout: 90_000 }, async () => {
    const payoutKey = randomUUID();
    const begun = await Promise.all(FACE_NAMES.map((face) => begin(refundFace(face, product))));
    for (const { executed, hanging } of begun) {
      await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: executed.chargeId });
      await provider.arm({ operation: 'refund', mode: 'hang', charge_id: hanging.chargeId });
    }
    await provider.arm({ operation: 'payout.create', mode: 'timeout' });
    const callers = [...begun.flatMap(({ asks }) => [asks.executed(), asks.hanging()]), backend.askForPayoutOrder(3000, payoutKey)].map(orLost);
    await vi.waitFor(async () => expect(await provider.armed()).toEqual({ data: [] }), PATIENCE);
    for (const { verified } of begun) expect(await backend.books(verified)).toEqual([]);
    await product.apis[0]?.program.kill9();
    // Had a send been given up before the kill, its caller would have been answered.
    expect(await Promise.all(callers)).toEqual(callers.map(() => 'connection lost'));
    for (const { executed, hanging } of begun) {
      expect(await provider.journal(executed)).toHaveLength(1);
      expect(await provider.journal(hanging)).toHaveLength(0);
    }
    await product.apis[0]?.restart();

    for (const { executed, hanging, verified, asks } of begun) {
      const found = await untilTold(asks.executed);
      expectDone(found, executed, 12_500);
      expect(found.header('idempotent-replayed')).toBe('true');
      const sentAgain = await untilTold(asks.hanging);
      expectDone(sentAgain, hanging, 20_000);
      expect(sentAgain.header('idempotent-replayed')).toBe('true');
      expectDone(await untilTold(asks.verified), verified, 10_000);
      await expectMoved(provider, backend, executed, [12_500]);
      await expectMoved(provider, backend, hanging, [20_000]);
      await expectMoved(provider, backend, verified, [10_000]);
    }
    const issued = readPayoutOrder(await untilAnswered(() => backend.askForPayoutOrder(3000, payoutKey)));
    expect(issued.status).toBe('pending');
    expect((await provider.findPayoutOrders(issued.id)).body).toMatchObject({ data: [{ status: 'pending' }] });
  });
});
