import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PAYOUT_ORDER_EVENTS, PAYOUT_ORDER_STATUSES, applyPayoutOrderEvent, followProvider, isFinalPayoutOrderStatus,
} from '../../src/domain/payout-order.ts';
import type { PayoutOrderEvent, PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { isRefused } from '../../src/domain/rejections.ts';

const anyEvent = fc.constantFrom(...PAYOUT_ORDER_EVENTS);
const anyStatus = fc.constantFrom(...PAYOUT_ORDER_STATUSES);

/** How far along a payout order is; facts never bring it back (P6). */
const RANK: Readonly<Record<PayoutOrderStatus, number>> = {
  open: 0, pending: 1, pending_confirmation: 2, withdrawn: 3, cancelled: 3, expired: 3, reversed: 3,
};

function run(start: PayoutOrderStatus, events: readonly PayoutOrderEvent[]): readonly PayoutOrderStatus[] {
  const seen: PayoutOrderStatus[] = [start];
  let status = start;
  for (const event of events) {
    const answer = applyPayoutOrderEvent(status, event);
    if (isRefused(answer)) continue;
    status = answer.status;
    seen.push(status);
  }
  return seen;
}

describe('applyPayoutOrderEvent', () => {
  it('should be total and pure, and only ever go forward (P6)', () => {
    fc.assert(fc.property(anyStatus, fc.array(anyEvent, { maxLength: 30 }), (start, events) => {
      const seen = run(start, events);
      expect(run(start, events)).toEqual(seen);
      for (const [index, status] of seen.entries()) {
        expect(PAYOUT_ORDER_STATUSES).toContain(status);
        const before = seen[index - 1];
        if (before !== undefined) expect(RANK[status]).toBeGreaterThan(RANK[before]);
      }
    }));
  });

  it('should let nothing leave a final status (I4)', () => {
    fc.assert(fc.property(anyStatus.filter(isFinalPayoutOrderStatus), fc.array(anyEvent), (start, events) => {
      expect(run(start, events)).toEqual([start]);
    }));
  });

  it('should reach one final status at most, whatever races (P5)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      expect(run('open', events).filter(isFinalPayoutOrderStatus).length).toBeLessThanOrEqual(1);
    }));
  });

  it('should change nothing when every fact comes twice (P6)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      expect(run('open', events.flatMap((event) => [event, event])).at(-1)).toBe(run('open', events).at(-1));
    }));
  });

  it('should never pay out a reference after its cancellation, nor before one was issued (P1, P4)', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const seen = run('open', events);
      if (seen.includes('cancelled')) expect(seen).not.toContain('withdrawn');
      if (!events.includes('reference_issued')) expect(seen).toEqual(['open']);
    }));
  });
});

describe('followProvider', () => {
  it('should give a path the machine can walk, ending where the provider is or staying put (P2)', () => {
    fc.assert(fc.property(anyStatus, anyStatus, (ours, theirs) => {
      const result = followProvider(ours, theirs);
      if (result.kind === 'contradiction') return;
      const seen = run(ours, result.events);
      expect(seen).toHaveLength(result.events.length + 1);
      expect(seen.at(-1)).toBe(result.events.length > 0 ? theirs : ours);
    }), { numRuns: 400 });
  });

  it('should never go back, and never stay put where the provider is further along (P2, P6)', () => {
    fc.assert(fc.property(anyStatus, anyStatus, (ours, theirs) => {
      const result = followProvider(ours, theirs);
      const stays = result.kind === 'path' && result.events.length === 0;
      // A voided reference whose time was over has both names: nobody is further along.
      const isSameEnd = ours === 'expired' && theirs === 'cancelled';
      if (stays && ours !== theirs && !isSameEnd) expect(RANK[theirs]).toBeLessThan(RANK[ours]);
    }), { numRuns: 400 });
  });
});
