import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { merchantBackend, orLost, PATIENCE, readOrder, readPayoutOrder, untilAnswered } from './merchant-backend.ts';
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

describe('reintegro serve, killed with -9', () => {
  it('should finish everything under way exactly once: what the provider had executed, what it had not, what was being verified (S4, R8, R11, I1, I2)', { timeout: 90_000 }, async () => {
    const [executed, hanging, verified] = [await backend.createOrder(50_000), await backend.createOrder(20_000), await backend.createOrder(10_000)];
    const [executedKey, hangingKey, verifiedKey, payoutKey] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    // This one waits in its settle delay already: its caller has got the answer that says so.
    await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: verified.chargeId });
    expect(await backend.refund(verified.orderId, {}, verifiedKey)).toMatchObject({ status: 202 });
    await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: executed.chargeId });
    await provider.arm({ operation: 'refund', mode: 'hang', charge_id: hanging.chargeId });
    await provider.arm({ operation: 'payout.create', mode: 'timeout' });
    const callers = [
      backend.refund(executed.orderId, { amount: 12_500 }, executedKey), backend.refund(hanging.orderId, {}, hangingKey), backend.askForPayoutOrder(3000, payoutKey),
    ].map(orLost);
    await vi.waitFor(async () => expect(await provider.armed()).toEqual({ data: [] }), PATIENCE);
    expect(await backend.books(verified)).toEqual([]);
    await product.apis[0]?.program.kill9();
    // Had a send been given up before the kill, its caller would have been answered.
    expect(await Promise.all(callers)).toEqual(['connection lost', 'connection lost', 'connection lost']);
    expect(await provider.journal({ chargeId: executed.chargeId })).toHaveLength(1);
    expect(await provider.journal({ chargeId: hanging.chargeId })).toHaveLength(0);
    await product.apis[0]?.restart();

    const found = await untilAnswered(() => backend.refund(executed.orderId, { amount: 12_500 }, executedKey));
    expect(readOrder(found)).toMatchObject({ amount_refunded: 12_500, payment_status: 'partially_refunded' });
    expect(found.header('idempotent-replayed')).toBe('true');
    const sentAgain = await untilAnswered(() => backend.refund(hanging.orderId, {}, hangingKey));
    expect(readOrder(sentAgain)).toMatchObject({ amount_refunded: 20_000, payment_status: 'refunded' });
    expect(sentAgain.header('idempotent-replayed')).toBe('true');
    expect(readOrder(await untilAnswered(() => backend.refund(verified.orderId, {}, verifiedKey)))).toMatchObject({ amount_refunded: 10_000 });
    const issued = readPayoutOrder(await untilAnswered(() => backend.askForPayoutOrder(3000, payoutKey)));
    expect(issued.status).toBe('pending');

    await expectMoved(provider, backend, executed, [12_500]);
    await expectMoved(provider, backend, hanging, [20_000]);
    await expectMoved(provider, backend, verified, [10_000]);
    expect((await provider.findPayoutOrders(issued.id)).body).toMatchObject({ data: [{ status: 'pending' }] });
  });
});
