import { describe, expect, it } from 'vitest';
import type { LegStatus } from '../../../src/domain/leg.ts';
import { INITIAL_REFUND_STATE, applyRefundEvent, refundEventFromLegs } from '../../../src/domain/refund.ts';
import type { RefundEvent, RefundState } from '../../../src/domain/refund.ts';
import type { RefundStatus } from '../../../src/domain/refund-status.ts';

/** One state per status, and the state each event leads to where it is admitted. */
const STATES: Readonly<Record<RefundStatus, RefundState>> = {
  pending: { status: 'pending', statusDetail: 'reserved' },
  validate: { status: 'validate', statusDetail: 'awaiting_payer' },
  review: { status: 'review', statusDetail: 'awaiting_approval' },
  deferred: { status: 'deferred', statusDetail: 'awaiting_execution_time' },
  in_process: { status: 'in_process', statusDetail: 'sent' },
  authorized: { status: 'authorized', statusDetail: 'accepted_by_provider' },
  approved: { status: 'approved', statusDetail: 'executed_by_provider' },
  refunded: { status: 'refunded', statusDetail: 'complete' },
  rejected: { status: 'rejected', statusDetail: 'insufficient_funds' },
  cancelled: { status: 'cancelled', statusDetail: 'by_request' },
  dismissed: { status: 'dismissed', statusDetail: 'contested_by_payer' },
};

const EVENTS: Readonly<Record<RefundEvent['type'], { readonly event: RefundEvent; readonly next: RefundState }>> = {
  payer_confirmation_asked: { event: { type: 'payer_confirmation_asked' }, next: STATES.validate },
  approval_asked: { event: { type: 'approval_asked' }, next: STATES.review },
  deferred: { event: { type: 'deferred' }, next: STATES.deferred },
  sent: { event: { type: 'sent' }, next: STATES.in_process },
  authorized: { event: { type: 'authorized' }, next: STATES.authorized },
  approved: { event: { type: 'approved' }, next: STATES.approved },
  refunded: { event: { type: 'refunded', partial: false }, next: STATES.refunded },
  rejected: { event: { type: 'rejected', reason: 'insufficient_funds' }, next: STATES.rejected },
  cancelled: { event: { type: 'cancelled', cause: 'by_request' }, next: STATES.cancelled },
  contested: { event: { type: 'contested' }, next: STATES.dismissed },
  failed_late: { event: { type: 'failed_late', reason: 'account_closed' }, next: { status: 'rejected', statusDetail: 'account_closed' } },
};

/** Which statuses admit which event, by hand from PRODUCT §5 and R9. */
const ADMITTED: Readonly<Record<RefundEvent['type'], readonly RefundStatus[]>> = {
  payer_confirmation_asked: ['pending'],
  approval_asked: ['pending', 'validate'],
  deferred: ['pending', 'validate', 'review'],
  sent: ['pending', 'validate', 'review', 'deferred'],
  authorized: ['in_process'],
  approved: ['in_process', 'authorized'],
  refunded: ['in_process', 'authorized', 'approved'],
  rejected: ['pending', 'review', 'in_process', 'authorized', 'approved'],
  cancelled: ['pending', 'validate', 'review', 'deferred', 'authorized'],
  contested: ['validate', 'in_process'],
  failed_late: ['in_process', 'authorized', 'approved', 'refunded'],
};

const statuses = Object.keys(STATES) as RefundStatus[];
const eventTypes = Object.keys(EVENTS) as RefundEvent['type'][];
const MATRIX = statuses.flatMap((status) => eventTypes.map((type) => [type, status, ADMITTED[type].includes(status)] as const));

describe('applyRefundEvent', () => {
  it('should be tested on every status and event', () => {
    expect(MATRIX).toHaveLength(121);
  });

  it.each(MATRIX)('should apply %s to %s: %s (PRODUCT §5, R9)', (type, status, admitted) => {
    const { event, next } = EVENTS[type];
    expect(applyRefundEvent(STATES[status], event)).toEqual(admitted ? next : { refused: 'transition_not_allowed', from: status, event: type });
  });

  it.each(eventTypes)('should apply %s to a refund that passed its checkpoint as to one that waits at it (R3)', (type) => {
    const { event } = EVENTS[type];
    expect(applyRefundEvent({ status: 'validate', statusDetail: 'confirmed' }, event)).toEqual(applyRefundEvent(STATES.validate, event));
    expect(applyRefundEvent({ status: 'review', statusDetail: 'reviewed' }, event)).toEqual(applyRefundEvent(STATES.review, event));
  });

  it('should begin as pending and reserved (PRODUCT §5)', () => {
    expect(INITIAL_REFUND_STATE).toEqual({ status: 'pending', statusDetail: 'reserved' });
  });

  it('should say in the detail whether all of it was refunded, and who called it off (R2, R3)', () => {
    expect(applyRefundEvent(STATES.in_process, { type: 'refunded', partial: true })).toEqual({ status: 'refunded', statusDetail: 'partial' });
    expect(applyRefundEvent(STATES.review, { type: 'cancelled', cause: 'expired' })).toEqual({ status: 'cancelled', statusDetail: 'expired' });
  });
});

describe('refundEventFromLegs', () => {
  const of = (...legs: LegStatus[]): RefundEvent | null => refundEventFromLegs(legs.map((status) => ({ status })));

  it.each([
    [[], null],
    [['reserved'], null],
    [['reserved', 'reserved'], null],
    [['reserved', 'released'], null],
    [['released'], { type: 'cancelled', cause: 'by_request' }],
    [['released', 'released'], { type: 'cancelled', cause: 'by_request' }],
    [['sending'], { type: 'sent' }],
    [['unknown'], { type: 'sent' }],
    [['succeeded', 'unknown'], { type: 'sent' }],
    [['succeeded', 'reserved'], { type: 'sent' }],
    [['refused', 'reserved'], { type: 'sent' }],
    [['authorized'], { type: 'authorized' }],
    [['authorized', 'approved', 'succeeded', 'refused'], { type: 'authorized' }],
    [['approved'], { type: 'approved' }],
    [['approved', 'succeeded', 'refused'], { type: 'approved' }],
    [['succeeded'], { type: 'refunded', partial: false }],
    [['succeeded', 'succeeded'], { type: 'refunded', partial: false }],
    [['succeeded', 'refused'], { type: 'refunded', partial: true }],
    [['succeeded', 'released'], { type: 'refunded', partial: true }],
    [['succeeded', 'failed_late'], { type: 'refunded', partial: true }],
    [['refused'], { type: 'rejected', reason: 'refused_by_provider' }],
    [['refused', 'released'], { type: 'rejected', reason: 'refused_by_provider' }],
    [['failed_late'], { type: 'failed_late', reason: 'failed_late' }],
    [['failed_late', 'refused'], { type: 'failed_late', reason: 'failed_late' }],
  ] as const)('should read %j as %j (R2)', (legs, event) => {
    expect(of(...legs)).toEqual(event);
  });

  it('should give the reason of a leg that was refused (R2)', () => {
    const legs = [{ status: 'released', refusal: null }, { status: 'refused' }, { status: 'refused', refusal: 'insufficient_funds' }] as const;
    expect(refundEventFromLegs(legs)).toEqual({ type: 'rejected', reason: 'insufficient_funds' });
  });

  it('should give the reason of the late failure, not that of another leg (R9)', () => {
    const legs = [{ status: 'refused', refusal: 'insufficient_funds' }, { status: 'failed_late', refusal: 'account_closed' }] as const;
    expect(refundEventFromLegs(legs)).toEqual({ type: 'failed_late', reason: 'account_closed' });
  });

  it('should let a split refund end whose one success failed late while the other leg was under way (R9, I3)', () => {
    const event = refundEventFromLegs([{ status: 'failed_late', refusal: 'account_closed' }, { status: 'refused' }]);
    expect(event).not.toBeNull();
    if (event !== null) expect(applyRefundEvent(STATES.in_process, event)).toEqual({ status: 'rejected', statusDetail: 'account_closed' });
  });
});
