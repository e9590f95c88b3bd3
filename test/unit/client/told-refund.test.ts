import { describe, expect, it } from 'vitest';
import { toldRefund, wholeRefund } from '../../../workflows/messages.ts';
import type { RefundView } from '../../../workflows/messages.ts';

const PLAIN: RefundView = {
  refundId: 'rfd_1', orderId: 'ord_1', status: 'refunded', statusDetail: 'complete', refusal: null, amountMinor: 1000, currency: 'MXN', needsAttention: false, fingerprint: 'f',
};

describe('a refund as histories keep it', () => {
  it.each<[string, RefundView]>([
    ['done', PLAIN],
    ['before a person', { ...PLAIN, status: 'in_process', statusDetail: 'needs_attention', needsAttention: true }],
    ['refused before anything moved', { ...PLAIN, status: 'rejected', statusDetail: 'order_not_found', refusal: 'order_not_found', amountMinor: null, currency: null }],
  ])('should be made whole again by what whoever asks knows: %s (R10)', (_, view) => {
    expect(wholeRefund(toldRefund(view), { refundId: view.refundId })).toEqual(view);
  });

  it('should leave out what says nothing, and the id by which it was asked for', () => {
    expect(toldRefund(PLAIN)).toEqual({ orderId: 'ord_1', status: 'refunded', statusDetail: 'complete', amountMinor: 1000, currency: 'MXN', fingerprint: 'f' });
  });

  it('should be read as it stands where an earlier version kept all of it (I8)', () => {
    expect(wholeRefund(PLAIN, { refundId: 'rfd_1', orderId: 'ord_1' })).toEqual(PLAIN);
  });
});
