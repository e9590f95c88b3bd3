import { describe, expect, it } from 'vitest';
import { checkPayoutOrder, checkRefund } from '../../../src/client/check-request.ts';
import { InvalidRequestError } from '../../../src/client/client-errors.ts';
import type { NewPayoutOrder, NewRefund } from '../../../src/client/requests.ts';

const DAY_MS = 24 * 3_600_000;
const REFUND: NewRefund = { merchantId: 'm', orderId: 'ord_1', idempotencyKey: 'k', requestedBy: 'billing' };
const PAYOUT_ORDER: NewPayoutOrder = {
  merchantId: 'm', amountMinor: 3000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Referencia',
  expiresAt: new Date('2030-01-01T00:00:00Z'), idempotencyKey: 'k', requestedBy: 'billing',
};

function fieldRefused(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.field;
    throw error;
  }
}

describe('checkRefund', () => {
  it('should admit a total refund and a partial one (R1)', () => {
    expect(fieldRefused(() => checkRefund(REFUND))).toBeNull();
    expect(fieldRefused(() => checkRefund({ ...REFUND, chargeId: 'c', amountMinor: 1, reason: 'other' }))).toBeNull();
  });

  it.each<Partial<NewRefund>>([
    { requireReview: true, requirePayerConfirmation: false }, { cancellationWindowSeconds: 1 }, { cancellationWindowSeconds: 30 * 24 * 3600 },
    { executeAt: new Date(0) }, { executeAt: new Date(Date.now() + 365 * DAY_MS) }, { requireReview: undefined, requirePayerConfirmation: undefined, executeAt: undefined, cancellationWindowSeconds: undefined },
  ])('should admit demands within their bounds, and a time in the past as one that has come (R3, R5): %j', (demands) => {
    expect(fieldRefused(() => checkRefund({ ...REFUND, ...demands }))).toBeNull();
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['executeAt', { executeAt: new Date(Number.NaN) }], ['executeAt', { executeAt: new Date(Date.now() + 367 * DAY_MS) }], ['executeAt', { executeAt: '2030-01-01T00:00:00Z' }], ['executeAt', { executeAt: 0 }], ['executeAt', { executeAt: null }],
    ['cancellationWindowSeconds', { cancellationWindowSeconds: 0 }], ['cancellationWindowSeconds', { cancellationWindowSeconds: -1 }], ['cancellationWindowSeconds', { cancellationWindowSeconds: 1.5 }],
    ['cancellationWindowSeconds', { cancellationWindowSeconds: 30 * 24 * 3600 + 1 }], ['cancellationWindowSeconds', { cancellationWindowSeconds: '60' }], ['cancellationWindowSeconds', { cancellationWindowSeconds: Number.NaN }],
    ['requireReview', { requireReview: 'true' }], ['requireReview', { requireReview: 1 }], ['requireReview', { requireReview: null }], ['requirePayerConfirmation', { requirePayerConfirmation: 'no' }], ['requirePayerConfirmation', { requirePayerConfirmation: 0 }],
  ])('should refuse a demand that cannot be meant, as callers without types may make it: %s %j', (field, change) => {
    expect(fieldRefused(() => checkRefund({ ...REFUND, ...change } as NewRefund))).toBe(field);
  });

  it('should admit what a caller says beside the money', () => {
    expect(fieldRefused(() => checkRefund({
      ...REFUND, provider: 'gateway', refundType: 'by_media_payment', externalReference: 'pedido-7', metadata: { a: [1, { b: null }] }, onBehalfOf: { type: 'payer', id: 'cliente-7' }, requestedAs: 'provider',
    }))).toBeNull();
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['provider', { provider: '' }], ['refundType', { refundType: 'cash' }], ['externalReference', { externalReference: 'x'.repeat(251) }], ['metadata', { metadata: [] }], ['metadata', { metadata: { a: '\ud800' } }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 0])) }], ['onBehalfOf', { onBehalfOf: { type: 'merchant', id: 'x' } }], ['onBehalfOf', { onBehalfOf: { type: 'payer', id: '' } }],
    ['requestedAs', { requestedAs: 'payer' }],
  ])('should refuse a wrong %s, as callers without types may make it: %j', (field, change) => {
    expect(fieldRefused(() => checkRefund({ ...REFUND, ...change } as NewRefund))).toBe(field);
  });

  it.each([
    ['amountMinor', { amountMinor: 0 }], ['amountMinor', { amountMinor: -1 }], ['amountMinor', { amountMinor: 1.5 }], ['amountMinor', { amountMinor: Number.NaN }],
    ['amountMinor', { amountMinor: 2 ** 53 }], ['orderId', { orderId: '' }], ['chargeId', { chargeId: 'a\0b' }], ['reason', { reason: '\ud800' }],
    ['idempotencyKey', { idempotencyKey: 'k'.repeat(256) }], ['requestedBy', { requestedBy: '' }],
  ])('should refuse a wrong %s before anything is started (M1, R8): %j', (field, change) => {
    expect(fieldRefused(() => checkRefund({ ...REFUND, ...change }))).toBe(field);
  });
});

describe('checkPayoutOrder', () => {
  it('should admit a payout order with metadata of any shape', () => {
    expect(fieldRefused(() => checkPayoutOrder({ ...PAYOUT_ORDER, metadata: { a: [1, { b: '😀' }], c: null } }))).toBeNull();
  });

  it.each([
    ['amountMinor', { amountMinor: 0.5 }], ['currency', { currency: 'mxn' }], ['allowedPayoutMethods', { allowedPayoutMethods: [] }], ['payoutMethodType', { payoutMethodType: '' }],
    ['customerId', { customerId: '' }], ['reason', { reason: 'a\0b' }], ['expiresAt', { expiresAt: new Date(Number.NaN) }], ['metadata', { metadata: { a: { 'b\0': 1 } } }],
    ['metadata', { metadata: { a: ['\udc00'] } }],
  ])('should refuse a wrong %s before anything is started: %j', (field, change) => {
    expect(fieldRefused(() => checkPayoutOrder({ ...PAYOUT_ORDER, ...change }))).toBe(field);
  });
});
