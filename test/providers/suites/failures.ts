import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ProviderPayoutOrderRequest } from '../../../src/providers/provider.ts';
import { connect, openBench, refundOf, startFront } from '../bench.ts';
import type { Paid, ProviderUnderTest } from '../provider-under-test.ts';

const NEVER_PAID: Paid = { orderId: 'any', chargeId: 'any', amountMinor: 10_000, currency: 'ARS' };

function payoutRequest(): ProviderPayoutOrderRequest {
  return {
    reference: 'our-payout', amountMinor: 3000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Devolución',
    expiresAt: Math.floor(Date.now() / 1000) + 3600, metadata: {},
  };
}

/** An address where nobody listens. */
async function deadAddress(): Promise<string> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** That nothing is thrown but `ProviderError`, of the right kind, without secrets (the bench looks at each). */
export function describeFailures(provider: ProviderUnderTest): void {
  describe('a failure', () => {
    it.each([['that is not accepted', provider.credentials.wrong], ['that cannot be a header', 'key\r\nx: y'], ['that is empty', '']])(
      'should be not_sent with a credential %s, and move nothing (S4)', async (_title, credential) => {
        const bench = await openBench(provider);
        const paid = await bench.pay(10_000);
        expect((await bench.failureOf(bench.adapter.submitRefund({ credential }, refundOf(paid, 700)))).kind).toBe('not_sent');
        expect((await bench.failureOf(bench.adapter.getOrder({ credential }, paid.orderId, 'leg_1'))).kind).toBe('not_sent');
        expect(await bench.imitation.journal(paid.chargeId)).toEqual([]);
      },
    );

    it('should be not_sent where nobody listens, or the name means nothing (S4)', async () => {
      const bench = await openBench(provider);
      for (const url of [await deadAddress(), 'http://nowhere.invalid']) {
        const adapter = connect(provider, url);
        expect((await bench.failureOf(adapter.submitRefund(bench.call, refundOf(NEVER_PAID, 700)))).kind).toBe('not_sent');
        expect((await bench.failureOf(adapter.getOrder(bench.call, 'any'))).kind).toBe('not_sent');
      }
    });

    it.each([
      ['no JSON', () => '<html>'], ['half of it', (body: string) => body.slice(0, body.length / 2)], ['nothing', () => ''], ['null', () => 'null'],
      ['another value', () => '[]'], ['too much', (body: string) => body.replace('{', `{"pad":"${'x'.repeat(2 * 1024 * 1024)}",`)],
    ])('should be unknown when an answer is %s, though the send was executed (S4, S7)', async (_title, rewrite) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      const adapter = connect(provider, await startFront(bench.imitation, rewrite));
      expect((await bench.failureOf(adapter.submitRefund(bench.call, refundOf(paid, 700)))).kind).toBe('unknown');
      expect((await bench.failureOf(adapter.getOrder(bench.call, paid.orderId))).kind).toBe('unknown');
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 700]]);
    });

    it.each(provider.impostors)('should be unknown when the answer to a send is about $title, though it was executed (S7)', async ({ rewrite }) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      let changed = 0;
      const url = await startFront(bench.imitation, (body) => {
        const rewritten = rewrite(body);
        changed += Number(rewritten !== body);
        return rewritten;
      });
      expect((await bench.failureOf(connect(provider, url).submitRefund(bench.call, refundOf(paid, 700)))).kind).toBe('unknown');
      expect(changed).toBe(1);
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 700]]);
    });

    it('should be unknown when a refusal carries no readable error (S4, S7)', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'refund', mode: 'decline' });
      const adapter = connect(provider, await startFront(bench.imitation, () => '{"error":"no"}'));
      expect((await bench.failureOf(adapter.submitRefund(bench.call, refundOf(paid, 700)))).kind).toBe('unknown');
    });
  });

  describe('payout orders', () => {
    it.runIf(provider.hasPayoutOrders)('should be issued once, found by our reference, and voided (P1, P4)', async () => {
      const { adapter, call } = await openBench(provider);
      expect(await adapter.findPayoutOrder(call, 'our-payout', new Date(0))).toBeNull();
      const issued = await adapter.createPayoutOrder(call, payoutRequest());
      expect(issued).toMatchObject({ reference: 'our-payout', status: 'pending' });
      expect(await adapter.findPayoutOrder(call, 'our-payout', new Date(0))).toEqual(issued);
      expect(await adapter.cancelPayoutOrder(call, issued.providerPayoutOrderId)).toEqual({ ...issued, status: 'cancelled' });
      expect(await adapter.getPayoutOrder(call, issued.providerPayoutOrderId)).toEqual({ ...issued, status: 'cancelled' });
    });

    it.skipIf(provider.hasPayoutOrders)('should be refused for good, and never be looked for in vain: they stay open (P1)', async () => {
      const bench = await openBench(provider);
      const { adapter, call } = bench;
      expect((await bench.failureOf(adapter.createPayoutOrder(call, payoutRequest()))).kind).toBe('declined');
      expect((await bench.failureOf(adapter.getPayoutOrder(call, 'any'))).kind).toBe('declined');
      expect((await bench.failureOf(adapter.cancelPayoutOrder(call, 'any'))).kind).toBe('declined');
      expect(await adapter.findPayoutOrder(call, 'our-payout', new Date(0))).toBeNull();
    });
  });
}
