import { expect, it } from 'vitest';
import { createRecords } from '../../src/http/records.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { describeOnEachDatabase } from '../support/database.ts';

describeOnEachDatabase('openCase', (database) => {
  it.each([
    ['a refund that could not be reserved yet', { refundId: 'rfd_waiting' }, { refund_id: 'rfd_waiting', leg_id: null, payout_order_id: null }],
    ['a leg', { refundId: 'rfd_lost', legId: 'leg_lost' }, { refund_id: 'rfd_lost', leg_id: 'leg_lost', payout_order_id: null }],
    ['a payout order', { payoutOrderId: 'po_lost' }, { refund_id: null, leg_id: null, payout_order_id: 'po_lost' }],
  ])('should open the case of %s that is not on record, once and without an amount (O1)', async (_, subject, named) => {
    const db = database();
    await saveMerchant(db, { merchantId: 'm_cases', name: 'm_cases', provider: 'conekta' });
    const { openCase } = createRecords(db);
    await openCase({ merchantId: 'm_cases', kind: 'waited_too_long', ...subject });
    await openCase({ merchantId: 'm_cases', kind: 'waited_too_long', ...subject });
    const rows = await db.selectFrom('cases').select(['kind', 'refund_id', 'leg_id', 'payout_order_id', 'amount_minor', 'currency', 'status']).where('merchant_id', '=', 'm_cases').execute();
    expect(rows.filter((row) => Object.entries(named).every(([column, value]) => row[column as keyof typeof row] === value)))
      .toEqual([{ kind: 'waited_too_long', ...named, amount_minor: null, currency: null, status: 'open' }]);
  });
});
