import { describe, expect, it } from 'vitest';
import { REFUND_REFUSALS, isRefundRefusal, isRefused } from '../../../src/domain/rejections.ts';

describe('isRefundRefusal', () => {
  it.each([...REFUND_REFUSALS])('should know %s (R1)', (code) => {
    expect(isRefundRefusal(code)).toBe(true);
  });

  it.each(['', 'refused_by_provider', 'ORDER_NOT_FOUND', 'toString', 'order_not_found '])('should not take %j for one (R1)', (code) => {
    expect(isRefundRefusal(code)).toBe(false);
  });

  it('should cover the refusals CONTRACT §5 has exact bodies for', () => {
    expect([...REFUND_REFUSALS].toSorted()).toEqual([
      'amount_exceeds_remaining', 'charge_id_required', 'charge_not_found', 'order_not_found', 'order_not_returnable',
    ]);
  });
});

describe('isRefused', () => {
  it('should tell a refusal from a state', () => {
    expect(isRefused({ refused: 'transition_not_allowed', from: 'open', event: 'cancelled' })).toBe(true);
    expect(isRefused({ status: 'pending' })).toBe(false);
  });
});
