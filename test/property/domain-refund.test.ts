import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEG_STATUSES, LEG_TRANSITIONS, holdsAmount } from '../../src/domain/leg.ts';
import type { LegStatus } from '../../src/domain/leg.ts';
import { INITIAL_REFUND_STATE, applyRefundEvent, refundEventFromLegs } from '../../src/domain/refund.ts';
import type { RefundEvent, RefundState } from '../../src/domain/refund.ts';
import { REFUND_STATUSES, canRefundMove, isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import { isRefused } from '../../src/domain/rejections.ts';

const reason = fc.constantFrom('insufficient_funds', 'account_closed', 'refused_by_provider');
const anyEvent: fc.Arbitrary<RefundEvent> = fc.oneof(
  fc.constantFrom<RefundEvent>(
    { type: 'payer_confirmation_asked' }, { type: 'approval_asked' }, { type: 'deferred' }, { type: 'sent' },
    { type: 'authorized' }, { type: 'approved' }, { type: 'contested' },
  ),
  fc.boolean().map((partial): RefundEvent => ({ type: 'refunded', partial })),
  reason.map((text): RefundEvent => ({ type: 'rejected', reason: text })),
  reason.map((text): RefundEvent => ({ type: 'failed_late', reason: text })),
  fc.constantFrom('by_request' as const, 'expired' as const).map((cause): RefundEvent => ({ type: 'cancelled', cause })),
);

describe('applyRefundEvent', () => {
  it('should be total and pure on any sequence of events, and move along the table only (PRODUCT §5)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let state: RefundState = INITIAL_REFUND_STATE;
      for (const event of events) {
        const before = structuredClone({ state, event });
        const answer = applyRefundEvent(state, event);
        expect(applyRefundEvent(state, event)).toEqual(answer);
        expect({ state, event }).toEqual(before);
        if (isRefused(answer)) continue;
        expect(REFUND_STATUSES).toContain(answer.status);
        expect(canRefundMove(state.status, answer.status)).toBe(true);
        state = answer;
      }
    }));
  });

  it('should let nothing leave a final status but a late failure leave refunded, once (I4, R9)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      let state: RefundState = INITIAL_REFUND_STATE;
      let lateFailures = 0;
      for (const event of events) {
        const answer = applyRefundEvent(state, event);
        if (isRefused(answer)) continue;
        if (isFinalRefundStatus(state.status)) {
          expect([state.status, event.type, answer.status]).toEqual(['refunded', 'failed_late', 'rejected']);
          lateFailures += 1;
        }
        state = answer;
      }
      expect(lateFailures).toBeLessThanOrEqual(1);
    }));
  });

  it('should never let a cancellation win once it was sent, but where the provider has not executed (R4)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let state: RefundState = INITIAL_REFUND_STATE;
      for (const event of events) {
        const answer = applyRefundEvent(state, event);
        if (isRefused(answer)) continue;
        if (answer.status === 'cancelled') expect(['pending', 'validate', 'review', 'deferred', 'authorized']).toContain(state.status);
        state = answer;
      }
    }));
  });
});

/** Every multiset of up to three leg statuses, as ordered lists: 9 + 81 + 729. */
const COMBINATIONS: readonly (readonly LegStatus[])[] = LEG_STATUSES.flatMap((a) => [
  [a], ...LEG_STATUSES.flatMap((b) => [[a, b], ...LEG_STATUSES.map((c) => [a, b, c])]),
]);

const some = (legs: readonly LegStatus[], ...statuses: readonly LegStatus[]): boolean => legs.some((leg) => statuses.includes(leg));
const all = (legs: readonly LegStatus[], ...statuses: readonly LegStatus[]): boolean => legs.every((leg) => statuses.includes(leg));
const eventOf = (legs: readonly LegStatus[]): RefundEvent | null => refundEventFromLegs(legs.map((status) => ({ status })));

/** What must be true of the legs when an event is told of them (R2). */
const TRUTH: Readonly<Record<string, (legs: readonly LegStatus[]) => boolean>> = {
  null: (legs) => all(legs, 'reserved', 'released') && some(legs, 'reserved'),
  cancelled: (legs) => all(legs, 'released'),
  sent: (legs) => some(legs, 'reserved', 'sending', 'unknown') && !all(legs, 'reserved', 'released'),
  authorized: (legs) => some(legs, 'authorized') && !some(legs, 'reserved', 'sending', 'unknown'),
  approved: (legs) => some(legs, 'approved') && !some(legs, 'reserved', 'sending', 'unknown', 'authorized'),
  complete: (legs) => all(legs, 'succeeded'),
  partial: (legs) => some(legs, 'succeeded') && all(legs, 'succeeded', 'refused', 'released', 'failed_late') && !all(legs, 'succeeded'),
  failed_late: (legs) => some(legs, 'failed_late') && all(legs, 'failed_late', 'refused', 'released'),
  rejected: (legs) => some(legs, 'refused') && all(legs, 'refused', 'released'),
};

describe('refundEventFromLegs', () => {
  it('should tell the truth, the whole truth, for all 819 combinations of up to three legs (R2)', () => {
    expect(COMBINATIONS).toHaveLength(819);
    for (const legs of COMBINATIONS) {
      const event = eventOf(legs);
      const told = event === null ? 'null' : event.type === 'refunded' ? (event.partial ? 'partial' : 'complete') : event.type;
      const truths = Object.entries(TRUTH).filter(([, holds]) => holds(legs)).map(([name]) => name);
      expect(truths, legs.join(', ')).toEqual([told]);
    }
  });

  it('should not depend on the order of the legs (R2)', () => {
    const legs = fc.array(fc.constantFrom(...LEG_STATUSES), { maxLength: 8 });
    const shuffled = legs.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(fc.property(shuffled, ([list, permutation]) => {
      expect(eventOf(permutation)).toEqual(eventOf(list));
    }));
  });

  it('should never call a refund over while a leg may still move money, nor moved when none did (R2, M2)', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...LEG_STATUSES), { minLength: 1, maxLength: 8 }), (legs) => {
      const event = eventOf(legs);
      const over = event !== null && ['refunded', 'rejected', 'cancelled', 'failed_late'].includes(event.type);
      if (over) for (const leg of legs) expect(leg === 'succeeded' || !holdsAmount(leg)).toBe(true);
      if (event?.type === 'refunded') expect(legs).toContain('succeeded');
    }));
  });

  it('should bring a refund to a final status along any way its legs may go once sent (R2, I3)', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 8 })), { maxLength: 60 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 3 }), steps, (size, walk) => {
      const legs: LegStatus[] = Array.from({ length: size }, () => 'sending');
      let state: RefundState = { status: 'in_process', statusDetail: 'sent' };
      const tell = (): void => {
        const event = eventOf(legs);
        const answer = event === null ? null : applyRefundEvent(state, event);
        if (answer !== null && !isRefused(answer)) state = answer;
      };
      for (const [which, choice] of walk) {
        const index = which % size;
        const from = legs[index];
        // A leg that is called off after it was sent is the cancellation of an authorized refund, told by its own event.
        const ways = from === undefined ? [] : LEG_TRANSITIONS[from].filter((to) => to !== 'released');
        const to = ways[choice % Math.max(1, ways.length)];
        if (to !== undefined) legs[index] = to;
        tell();
      }
      if (all(legs, 'succeeded', 'refused', 'failed_late')) expect(isFinalRefundStatus(state.status)).toBe(true);
    }), { numRuns: 500 });
  });
});
