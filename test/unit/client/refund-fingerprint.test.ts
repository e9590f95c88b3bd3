import { describe, expect, it } from 'vitest';
import { refundFingerprint } from '../../../src/client/reintegro-client.ts';
import type { NewRefund } from '../../../src/client/requests.ts';

const TOTAL: NewRefund = { merchantId: 'm', orderId: 'ord_1', idempotencyKey: 'k', requestedBy: 'billing' };
const PARTIAL: NewRefund = { ...TOTAL, chargeId: 'charge_1', amountMinor: 100, reason: 'other' };

describe('refundFingerprint', () => {
  it('should stay what it was for requests that are on record (R8)', () => {
    // Written down by version 0.1.0: a key is kept for 13 months, and its request must still be recognised.
    expect(refundFingerprint(TOTAL)).toBe('f166151204569e377c181945bae9631afb8f513dfd69285f269f52ff99b1a9aa');
    expect(refundFingerprint(PARTIAL)).toBe('08135538066a0926675274137f28624094d6482b967e91ae7cbe59ee811644f4');
    expect(refundFingerprint({ ...TOTAL, amountMinor: 100 })).toBe('cbd87a01b2640644ab471dfb1e197fde4df054228d547e104329ad341738bc86');
  });

  it('should not tell a demand that was left out from one that is undefined, nor who asks (R8)', () => {
    const undemanding = { requireReview: undefined, requirePayerConfirmation: undefined, executeAt: undefined, cancellationWindowSeconds: undefined };
    expect(refundFingerprint({ ...PARTIAL, ...undemanding })).toBe(refundFingerprint(PARTIAL));
    expect(refundFingerprint({ ...PARTIAL, merchantId: 'n', idempotencyKey: 'l', requestedBy: 'another', requestedAs: 'operator' })).toBe(refundFingerprint(PARTIAL));
    const at = '2030-01-01T00:00:00.000Z';
    expect(refundFingerprint({ ...PARTIAL, executeAt: new Date(at) })).toBe(refundFingerprint({ ...PARTIAL, executeAt: new Date(Date.parse(at)) }));
  });

  it('should tell requests apart that differ in anything asked for (R8)', () => {
    const requests: readonly NewRefund[] = [
      TOTAL, PARTIAL, { ...TOTAL, orderId: 'ord_2' }, { ...PARTIAL, amountMinor: 101 }, { ...PARTIAL, chargeId: 'charge_2' }, { ...PARTIAL, reason: 'suspected_fraud' },
      { ...PARTIAL, requireReview: true }, { ...PARTIAL, requirePayerConfirmation: true }, { ...PARTIAL, requireReview: true, requirePayerConfirmation: true },
      { ...PARTIAL, executeAt: new Date('2030-01-01T00:00:00.000Z') }, { ...PARTIAL, executeAt: new Date('2030-01-01T00:00:00.001Z') },
      { ...PARTIAL, provider: 'gateway' }, { ...PARTIAL, refundType: 'manual' }, { ...PARTIAL, externalReference: 'a' }, { ...PARTIAL, metadata: { a: 1 } }, { ...PARTIAL, metadata: {} },
      { ...PARTIAL, onBehalfOf: { type: 'payer', id: 'x' } }, { ...PARTIAL, onBehalfOf: { type: 'timer', id: 'x' } },
      { ...PARTIAL, cancellationWindowSeconds: 60 }, { ...PARTIAL, cancellationWindowSeconds: 61 },
    ];
    expect(new Set(requests.map(refundFingerprint)).size).toBe(requests.length);
  });
});
