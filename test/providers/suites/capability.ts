import { describe, expect, it } from 'vitest';
import { connect, openBench, refundOf, startFront } from '../bench.ts';
import type { ProviderUnderTest } from '../provider-under-test.ts';

/** Whether a provider holds what its adapter declares against paying twice (S1). */
export function describeCapability(provider: ProviderUnderTest): void {
  const { idempotency } = provider;
  describe('the declared capability', () => {
    it(`should be ${idempotency}, under the name ${provider.name} (S1)`, async () => {
      const { adapter } = await openBench(provider);
      expect([adapter.name, adapter.idempotency]).toEqual([provider.name, idempotency]);
    });
    if (idempotency === 'key') describeKey(provider);
    if (idempotency === 'reference' || idempotency === 'balance') describeRecognition(provider);
    if (idempotency === 'reference') describeReference(provider);
    if (idempotency === 'balance') {
      it('should show no references: a provider that keeps them is to declare so (S1)', async () => {
        const bench = await openBench(provider);
        const paid = await bench.pay(10_000);
        await bench.adapter.submitRefund(bench.call, refundOf(paid, 700));
        expect((await bench.charge(paid)).refunds.map(({ reference }) => reference)).toEqual([null]);
      });
    }
  });
}

function describeKey(provider: ProviderUnderTest): void {
  it('should answer a repeated key with the first outcome, and move nothing again (S3)', async () => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    const first = await bench.adapter.submitRefund(bench.call, refundOf(paid, 700));
    expect(await bench.adapter.submitRefund(bench.call, refundOf(paid, 700))).toEqual(first);
    expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 700]]);
  });
}

function describeRecognition(provider: ProviderUnderTest): void {
  it('should recognise our refund after its answer was lost, and recognise none that was never made (S4)', async () => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    const sought = { reference: 'leg_1', amountMinor: 700, before: [] };
    expect(bench.recognise(await bench.charge(paid, 'leg_1'), sought)).toBeNull();
    await bench.imitation.arm({ operation: 'refund', mode: 'hang' });
    await bench.failureInSilence(() => bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_1')));
    expect(bench.recognise(await bench.charge(paid, 'leg_1'), sought)).toBeNull();
    await bench.imitation.arm({ operation: 'refund', mode: 'timeout' });
    await bench.failureInSilence(() => bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_1')));
    const charge = await bench.charge(paid, 'leg_1');
    expect(bench.recognise(charge, sought)).toMatchObject({ amountMinor: 700, state: 'succeeded', providerRefundId: charge.refunds[0]?.providerRefundId });
  });

  it('should recognise the second of two equal refunds, whose answer was lost, as another than the first (S1, S5)', async () => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    await bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_1'));
    const before = (await bench.charge(paid)).refunds.map(({ providerRefundId }) => providerRefundId);
    const sought = { reference: 'leg_2', amountMinor: 700, before };
    expect(bench.recognise(await bench.charge(paid, 'leg_2'), sought)).toBeNull();
    await bench.imitation.arm({ operation: 'refund', mode: 'reset' });
    await bench.failureOf(bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_2')));
    const ours = bench.recognise(await bench.charge(paid, 'leg_2'), sought);
    expect(ours).not.toBeNull();
    expect(before).not.toContain(ours?.providerRefundId);
  });
}

function describeReference(provider: ProviderUnderTest): void {
  it('should show our reference in the answer and in the list (S1)', async () => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    expect(await bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_1'))).toMatchObject({ kind: 'refund', refund: { reference: 'leg_1' } });
    expect((await bench.charge(paid)).refunds.map(({ reference }) => reference)).toEqual(['leg_1']);
  });

  it.each(['ref:1/leg 2', 'a&b=c#d', 'ñandú', '%2F'])('should find a reference of any letters: %s (S1)', async (reference) => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    await bench.adapter.submitRefund(bench.call, refundOf(paid, 700, reference));
    expect((await bench.charge(paid, reference)).refunds).toMatchObject([{ reference }]);
  });

  it('should find the reference that is sought where the list is behind, and prove the absence of another (S1, S4)', async () => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    await bench.adapter.submitRefund(bench.call, refundOf(paid, 700, 'leg_1'));
    const { staleList } = provider;
    if (staleList === undefined) throw new Error('a provider that is asked for references needs a list that is behind');
    const behind = connect(provider, await startFront(bench.imitation, staleList));
    const found = await behind.getOrder(bench.call, paid.orderId, 'leg_1');
    expect(found.charges[0]?.refunds).toMatchObject([{ reference: 'leg_1', amountMinor: 700 }]);
    expect((await bench.charge(paid, 'leg_2')).refunds.map(({ reference }) => reference)).toEqual(['leg_1']);
  });

  it.each([
    ['unavailable', 'unknown'], ['error_after', 'unknown'], ['truncated', 'unknown'], ['reset', 'unknown'], ['rate_limited', 'not_sent'],
  ])('should fail rather than tell of no refund when the look meets %s: %s (S4)', async (mode, kind) => {
    const bench = await openBench(provider);
    const paid = await bench.pay(10_000);
    await bench.imitation.arm({ operation: 'refund.find', mode });
    expect((await bench.failureOf(bench.adapter.getOrder(bench.call, paid.orderId, 'leg_1'))).kind).toBe(kind);
    expect(await bench.imitation.armedFaults()).toBe(0);
  });
}
