import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { readRecordedRequest, registerPayoutOrder, type NewPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { movePayoutOrder, recordIssueRefusal, recordPayoutAct, type PayoutOrderKey } from '../../src/store/payout-orders/settle.ts';
import { hasPassed } from '../../src/store/provider-events.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, audit, history, movements, operatorFor, PROVIDER } from './refund-records.ts';

async function merchant(db: Database): Promise<string> {
  const merchantId = `mer_${randomUUID()}`;
  await saveMerchant(db, { merchantId, name: 'Tienda', provider: PROVIDER });
  return merchantId;
}

function newPayoutOrder(merchantId: string, payoutOrderId: string, over: Partial<NewPayoutOrder> = {}): NewPayoutOrder {
  return {
    merchantId, payoutOrderId, payoutId: `payout_${payoutOrderId}`, provider: PROVIDER, amountMinor: 3_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash',
    customerId: 'cus_1', reason: 'Referencia', expiresAt: atSecond(86_400), metadata: {}, idempotencyKey: `key-${payoutOrderId}`, fingerprint: 'f', ...over,
  };
}

/** A payout order whose books took this course. */
async function taken(db: Database, ...events: ReturnType<Parameters<typeof movePayoutOrder>[3]>): Promise<PayoutOrderKey> {
  const key = { merchantId: await merchant(db), payoutOrderId: 'p' };
  await registerPayoutOrder(db, actingFor('p'), newPayoutOrder(key.merchantId, 'p'));
  await movePayoutOrder(db, actingFor('p'), key, () => events, { providerPayoutOrderId: `prov_${key.merchantId}` });
  return key;
}

describeOnEachDatabase('recordPayoutAct', (database) => {
  it.each([
    ['open', []], ['pending', ['reference_issued']], ['pending_confirmation', ['reference_issued', 'withdrawal_begun']], ['withdrawn', ['reference_issued', 'withdrawal_begun', 'confirmed']],
  ] as const)('should write down who wanted it tried again, and why, and change nothing of one that is %s (O3, I4, I6)', async (status, events) => {
    const db = database();
    const key = await taken(db, ...events);
    const [record, steps, moved] = [await readPayoutOrder(db, key.merchantId, 'p'), await history(db, key.merchantId, 'p'), await movements(db, key)];
    await recordPayoutAct(db, operatorFor('p'), key, 'retried');
    expect(await history(db, key.merchantId, 'p')).toEqual([...steps, { to: status, detail: record?.statusDetail, events: ['payout_order.retried'] }]);
    expect((await audit(db, key.merchantId, 'p')).at(-1)).toEqual({
      from_status: status, to_status: status, status_detail: record?.statusDetail, actor: 'key_operator', reason: 'seen at the bank', workflow_id: 'refund:p', run_id: 'run_1',
    });
    expect(await readPayoutOrder(db, key.merchantId, 'p')).toEqual(record);
    expect(await movements(db, key)).toEqual(moved);
  });

  it('should write every act down, and close no case (O3)', async () => {
    const db = database();
    const key = await taken(db, 'reference_issued');
    await openCase(db, { ...key, kind: 'waited_too_long' });
    await Promise.all([1, 2].map(() => recordPayoutAct(db, operatorFor('p'), key, 'retried')));
    expect((await history(db, key.merchantId, 'p')).flatMap((step) => step.events)).toEqual(['payout_order.open', 'payout_order.pending', 'payout_order.retried', 'payout_order.retried']);
    expect((await readPayoutOrder(db, key.merchantId, 'p'))?.needsAttention).toBe(true);
  });

  it('should not make the books look as if they had been through another status (P6)', async () => {
    const db = database();
    const key = await taken(db, 'reference_issued');
    await recordPayoutAct(db, operatorFor('p'), key, 'retried');
    expect([await hasPassed(db, key.merchantId, 'p', 'pending'), await hasPassed(db, key.merchantId, 'p', 'pending_confirmation'), await hasPassed(db, key.merchantId, 'p', 'withdrawn')]).toEqual([true, false, false]);
  });

  it('should refuse an act about a payout order that the merchant does not have, and write nothing (A1)', async () => {
    const db = database();
    const key = await taken(db, 'reference_issued');
    await expect(recordPayoutAct(db, operatorFor('p'), { merchantId: await merchant(db), payoutOrderId: 'p' }, 'retried')).rejects.toThrow();
    expect(await history(db, key.merchantId, 'p')).toHaveLength(2);
  });
});

/** A request with everything in it that a database might lose or change. */
const ODD: Partial<NewPayoutOrder> = {
  amountMinor: Number.MAX_SAFE_INTEGER, currency: 'COP', allowedPayoutMethods: ['cashout', 'cash'], payoutMethodType: 'cashout', customerId: 'cus_%_1', reason: 'Ñandú \\ "%" \u{1F4B5}',
  expiresAt: new Date('2031-05-06T07:08:09.123Z'), idempotencyKey: 'clave con espacios', fingerprint: 'f-odd',
  metadata: { text: 'ñ', number: 0.1, yes: true, nothing: null, list: [1, 'two', { three: 3 }], nested: { b: 1, a: { '%': '\\' } } },
};

describeOnEachDatabase('readRecordedRequest', (database) => {
  it('should read back everything that was asked for, so that the same Workflow can be begun again (I3, R8)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    const asked = newPayoutOrder(merchantId, 'p', ODD);
    await registerPayoutOrder(db, actingFor('p'), asked);
    const { payoutId: _payoutId, provider: _provider, ...request } = asked;
    expect(await readRecordedRequest(db, merchantId, 'p')).toEqual({ ...request, requestedBy: 'key_test' });
  });

  it('should read what was asked for first, whatever came under the same key or happened since (R8)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await registerPayoutOrder(db, actingFor('p'), newPayoutOrder(merchantId, 'p'));
    const asked = await readRecordedRequest(db, merchantId, 'p');
    await registerPayoutOrder(db, operatorFor('p'), newPayoutOrder(merchantId, 'p', ODD));
    await recordIssueRefusal(db, { merchantId, payoutOrderId: 'p' }, 'customer_blocked');
    expect(await readRecordedRequest(db, merchantId, 'p')).toEqual(asked);
    expect(asked).toMatchObject({ amountMinor: 3_000, idempotencyKey: 'key-p', fingerprint: 'f', requestedBy: 'key_test' });
  });

  it('should know none of another merchant\'s, and none by the key of a refund with the same id (A1, R8)', async () => {
    const db = database();
    const [merchantId, other] = [await merchant(db), await merchant(db)];
    await registerPayoutOrder(db, actingFor('p'), newPayoutOrder(merchantId, 'p'));
    await db.insertInto('idempotency_keys').values({
      merchant_id: merchantId, operation: 'refund:ord_1', idempotency_key: 'key-of-a-refund', fingerprint: 'f-refund', resource_id: 'p', expires_at: atSecond(9),
    }).execute();
    expect([await readRecordedRequest(db, other, 'p'), await readRecordedRequest(db, merchantId, 'q')]).toEqual([null, null]);
    expect(await readRecordedRequest(db, merchantId, 'p')).toMatchObject({ idempotencyKey: 'key-p', fingerprint: 'f' });
    await db.deleteFrom('idempotency_keys').where('merchant_id', '=', merchantId).where('operation', '=', 'payout_order').execute();
    expect(await readRecordedRequest(db, merchantId, 'p')).toBeNull();
  });
});
