import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../../support/http-call.ts';
import { decimal, expectDone, expectRefused, expectUnderWay } from '../../support/refund-faces.ts';
import type { Paid, RefundAnswer, RefundWish } from '../../support/refund-faces.ts';
import type { ContractScene } from '../contract-scene.ts';
import { expectMoved, overEachFace } from '../face-suites.ts';
import type { FaceSuite } from '../face-suites.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Keys, cancels and failures of the provider, whatever the face (PRODUCT §4, R4, R8). */
export function refundProtocolSuite(scene: () => ContractScene): void {
  overEachFace(scene, [keys, cancels, faults]);
}

const keys: FaceSuite = (name, scene, face) => {
  const key = (of: string): string => `${name}-${of}`;
  const amountOf = (amountMinor: number): string => (name === 'conekta' ? String(amountMinor) : decimal(amountMinor));

  it('should be one under its key whatever the order of fields, white space and quotes (R8)', async () => {
    const paid = await face().pay(30_000);
    const first = await face().refundAs(paid, { idempotencyKey: key('same-value'), body: `{"amount":${amountOf(100)},"reason":"other"}` });
    const second = await face().refundAs(paid, { idempotencyKey: `"${key('same-value')}"`, body: ` {\n"reason" : "other",\t"amount":${amountOf(100)}}` });
    for (const answer of [first, second]) expectDone(answer, paid, 100);
    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ header }) => header('idempotent-replayed'))).toEqual([undefined, 'true']);
    expect([first, second].map(({ header }) => header('idempotency-key'))).toEqual([key('same-value'), key('same-value')]);
    await expectMoved(scene(), paid, [100]);
  });

  it.each<[string, RefundWish]>([['amount', { amountMinor: 200 }], ['reason', { amountMinor: 100, reason: 'other' }], ['nothing at all', {}]])('should be no other under its key: %s (R8)', async (_, other) => {
    const paid = await face().pay(30_000);
    await face().refund(paid, { amountMinor: 100 }, key('spoken-for'));
    const answer = await scene().whileNothingMoves(() => face().refund(paid, other, key('spoken-for')));
    expectRefused(answer, 422, 'parameter_validation.idempotency_key.reused');
    expect(answer.header('idempotency-key')).toBe(key('spoken-for'));
  });

  it('should be another one of something else and for another merchant under one key (R8)', async () => {
    const mine = [await face().pay(500), await face().pay(500)];
    const theirs = await face('key_demo_two').pay(500);
    // The same key for both faces, on purpose.
    const answers = [...await Promise.all(mine.map((paid) => face().refund(paid, {}, 'everybodys'))), await face('key_demo_two').refund(theirs, {}, 'everybodys')];
    for (const [index, answer] of answers.entries()) {
      expectDone(answer, mine[index] ?? theirs, 500);
      expect(answer.header('idempotent-replayed')).toBeUndefined();
    }
  });

  it('should move money once for twenty posts at the same time, and answer all of them alike (R8, M7)', async () => {
    const paid = await face().pay(30_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => face().refund(paid, { amountMinor: 700 }, key('twenty-fold'))));
    for (const answer of answers) expectDone(answer, paid, 700);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await expectMoved(scene(), paid, [700]);
  });

  it('should be refused again as it was, and have a key made by the server when it has none (R8)', async () => {
    const paid = await face().pay(500);
    const refused = [await face().refund(paid, { amountMinor: 501 }, key('too-much')), await face().refund(paid, { amountMinor: 501 }, key('too-much'))];
    for (const answer of refused) expectRefused(answer, 422);
    expect(refused.map(({ header }) => header('idempotent-replayed'))).toEqual([undefined, 'true']);
    const body = `{"amount":${amountOf(1)}}`;
    const [first, second] = [await face().refundAs(paid, { body }), await face().refundAs(paid, { body })];
    expect(first.header('idempotency-key')).toMatch(UUID);
    expect(second.header('idempotency-key')).not.toBe(first.header('idempotency-key'));
    await expectMoved(scene(), paid, [1, 1]);
    expect((await face().refundAs(paid, { body, idempotencyKey: first.header('idempotency-key') })).header('idempotent-replayed')).toBe('true');
    await expectMoved(scene(), paid, [1, 1]);
  });

  it.each([['an empty one', '""'], ['one of 256 characters', 'k'.repeat(256)]])('should be refused under a key that is none: %s (R8)', async (_, bad) => {
    const paid = await face().pay(500);
    const answer = await scene().whileNothingMoves(() => face().refund(paid, {}, bad));
    expectRefused(answer, 422, 'parameter_validation.idempotency_key.invalid');
    expect(answer.body).toMatchObject({ details: [{ param: 'Idempotency-Key' }] });
  });
};

const cancels: FaceSuite = (name, scene, face) => {
  it('should be called off before it is sent, once and for all, and move nothing (R4, M4)', async () => {
    const paid = await face().pay(30_000);
    // Not shown by its provider, it waits.
    await scene().arm({ operation: 'order.get', mode: 'unavailable', times: 20, charge_id: paid.chargeId });
    const ask = (): Promise<RefundAnswer> => face().refund(paid, { amountMinor: 100 }, `${name}-called-off`);
    const asked = await ask();
    expectUnderWay(asked, paid);
    const refundId = asked.header('reintegro-refund-id') ?? '';
    const cancel = (): Promise<Answer> => face().cancel(paid, refundId);
    await vi.waitFor(async () => expect((await cancel()).status).toBe(200), { timeout: 30_000, interval: 100 });
    const again = await cancel();
    expect(again.status, again.text).toBe(200);
    if (name === 'gateway') expect(again.body).toMatchObject({ id: refundId, status: 'cancelled', reference: paid.orderId });
    await scene().disarm();
    expectRefused(await ask(), 402, 'processing.charge_operations.refund.cancelled');
    await expectMoved(scene(), paid, []);
    expectDone(await face().refund(paid, {}), paid, 30_000);
  });

  it('should not be called off once it was sent, and be unknown under another id, of something else and to another merchant (R4)', async () => {
    const [paid, other] = [await face().pay(30_000), await face().pay(500)];
    const done = await face().refund(paid, { amountMinor: 100 });
    const refundId = done.header('reintegro-refund-id') ?? '';
    const codeOf = (answer: Answer): unknown => (answer.body as { readonly details: readonly { readonly code: string }[] }).details[0]?.code;
    const late = await face().cancel(paid, refundId);
    expect({ status: late.status, code: codeOf(late) }).toEqual({ status: 428, code: `${name}.errors.precondition_required.refund.is_refunded` });
    for (const unknown of [await face().cancel(paid, 'no-such-refund'), await face().cancel(other, refundId), await face('key_demo_two').cancel(paid, refundId)]) {
      expect({ status: unknown.status, code: codeOf(unknown) }).toEqual({ status: 404, code: `${name}.errors.resource_not_found.entity` });
    }
    await expectMoved(scene(), paid, [100]);
  });
};

const faults: FaceSuite = (name, scene, face) => {
  // Each fault is armed for one charge alone, so that they can all happen at once.
  describe.concurrent('while its provider fails', () => {
    afterAll(() => scene().disarm());

    const paidWithFault = async (mode: string): Promise<Paid> => {
      const paid = await face().pay(30_000);
      await scene().arm({ operation: 'refund', mode, charge_id: paid.chargeId });
      return paid;
    };

    it('should be refused with 402 and what stands now, and give its amount back (CONTRACT §5, M4)', async () => {
      const paid = await paidWithFault('decline');
      const answer = await face().refund(paid, { amountMinor: 100 });
      expectRefused(answer, 402, 'processing.charge_operations.refund.declined');
      expect(answer.body).toMatchObject({ data: name === 'conekta' ? { id: paid.orderId, payment_status: 'paid', amount_refunded: 0 } : { reference: paid.orderId, status: 'rejected', amount: 1 } });
      await expectMoved(scene(), paid, []);
      expectDone(await face().refund(paid, {}), paid, 30_000);
      await expectMoved(scene(), paid, [30_000]);
    });

    it.each(['timeout', 'unavailable', 'reset', 'truncated', 'error_after', 'hang'])('should be under way when the answer is lost by %s, and then done once (S4, R10)', async (mode) => {
      const paid = await paidWithFault(mode);
      const ask = (): Promise<RefundAnswer> => face().refund(paid, { amountMinor: 100 }, key(mode));
      expectUnderWay(await ask(), paid);
      await untilBooked(scene(), paid);
      expectDone(await ask(), paid, 100);
      await expectMoved(scene(), paid, [100]);
    });

    it('should wait out a provider that takes no more requests, and be done once (S4)', async () => {
      const paid = await paidWithFault('rate_limited');
      expect(['done', 'under_way']).toContain((await face().refund(paid, { amountMinor: 100 })).meaning);
      await untilBooked(scene(), paid);
      await expectMoved(scene(), paid, [100]);
    });

    const key = (mode: string): string => `${name}-lost-${mode}`;
  });
};

function untilBooked(scene: ContractScene, { chargeId }: Paid): Promise<void> {
  return vi.waitFor(async () => expect(await scene.books(`?charge_id=${chargeId}`)).toHaveLength(1), { timeout: 30_000, interval: 100 });
}
