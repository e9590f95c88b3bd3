import { describe, expect, it } from 'vitest';
import { PASSED_DETAIL, checkpointsFor, deferredUntilMs, remainingCheckpoints } from '../../../src/domain/checkpoint.ts';
import type { Checkpoint, RefundDemands, RefundPolicy } from '../../../src/domain/checkpoint.ts';
import type { RefundStatus } from '../../../src/domain/refund-status.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00.000Z');
const TOMORROW = '2030-01-02T00:00:00.000Z';
const DAY_MS = 86_400_000;

/** A merchant that demands nothing. */
const LENIENT: RefundPolicy = { reviewThresholdMinor: null, reviewExpiryMs: 3 * DAY_MS, requirePayerConfirmation: false, payerConfirmationExpiryMs: DAY_MS, cancellationWindowMs: 0 };
const STRICT: RefundPolicy = { ...LENIENT, reviewThresholdMinor: 10_000, requirePayerConfirmation: true, cancellationWindowMs: 60_000 };

const VALIDATE: Checkpoint = { kind: 'validate', expiresAfterMs: DAY_MS };
const REVIEW: Checkpoint = { kind: 'review', expiresAfterMs: 3 * DAY_MS };
const deferred = (executeAt: string | null, windowMs: number): Checkpoint => ({ kind: 'deferred', executeAt, windowMs });

describe('checkpointsFor', () => {
  const of = (policy: Partial<RefundPolicy>, demands: RefundDemands, amountMinor = 5_000): readonly Checkpoint[] => checkpointsFor({ ...LENIENT, ...policy }, demands, amountMinor, NOW_MS);

  it('should be none where neither the merchant nor the request demands one (PRODUCT §5)', () => {
    expect(of({}, {})).toEqual([]);
    expect(of({}, { requireReview: false, requirePayerConfirmation: false, cancellationWindowSeconds: 0 })).toEqual([]);
  });

  it('should be validate, review, deferred, in this order (PRODUCT §5)', () => {
    expect(checkpointsFor(STRICT, {}, 10_000, NOW_MS)).toEqual([VALIDATE, REVIEW, deferred(null, 60_000)]);
    expect(of({}, { executeAt: TOMORROW, requireReview: true, requirePayerConfirmation: true })).toEqual([VALIDATE, REVIEW, deferred(TOMORROW, 0)]);
  });

  it.each([[9_999, []], [10_000, [REVIEW]], [10_001, [REVIEW]]])('should ask for a second person from the threshold on: %d (R3)', (amountMinor, expected) => {
    expect(of({ reviewThresholdMinor: 10_000 }, {}, amountMinor)).toEqual(expected);
  });

  it('should review every refund of a merchant whose threshold is zero (R3)', () => {
    expect(of({ reviewThresholdMinor: 0 }, {}, 1)).toEqual([REVIEW]);
  });

  it('should not let a request take away what the merchant demands (R3)', () => {
    const demands: RefundDemands = { requireReview: false, requirePayerConfirmation: false, cancellationWindowSeconds: 1 };
    expect(checkpointsFor(STRICT, demands, 10_000, NOW_MS)).toEqual([VALIDATE, REVIEW, deferred(null, 60_000)]);
  });

  it('should take the longer of the two cancellation windows (R5)', () => {
    expect(of({ cancellationWindowMs: 60_000 }, { cancellationWindowSeconds: 61 })).toEqual([deferred(null, 61_000)]);
    expect(of({ cancellationWindowMs: 60_000 }, { cancellationWindowSeconds: 59 })).toEqual([deferred(null, 60_000)]);
  });

  it('should wait for a time to come, and for none that has passed (R5)', () => {
    expect(of({}, { executeAt: '2030-01-01T00:00:00.001Z' })).toEqual([deferred('2030-01-01T00:00:00.001Z', 0)]);
    expect(of({}, { executeAt: '2030-01-01T00:00:00.000Z' })).toEqual([]);
    expect(of({ cancellationWindowMs: 60_000 }, { executeAt: '2029-12-31T00:00:00.000Z' })).toEqual([deferred(null, 60_000)]);
    expect(of({ cancellationWindowMs: 60_000 }, { executeAt: TOMORROW })).toEqual([deferred(TOMORROW, 60_000)]);
  });
});

describe('remainingCheckpoints', () => {
  const ALL: readonly Checkpoint[] = [VALIDATE, REVIEW, deferred(TOMORROW, 60_000)];
  const [, , DEFERRED] = ALL;

  /** By hand: what is still ahead of a refund on record, by status and detail (R3, R5). */
  it.each<[RefundStatus, string, readonly (Checkpoint | undefined)[]]>([
    ['pending', 'reserved', ALL],
    ['pending', 'order_unreadable', ALL],
    ['validate', 'awaiting_payer', ALL],
    ['validate', 'confirmed', [REVIEW, DEFERRED]],
    ['review', 'awaiting_approval', [REVIEW, DEFERRED]],
    ['review', 'reviewed', [DEFERRED]],
    ['deferred', 'awaiting_execution_time', [DEFERRED]],
    ['in_process', 'sent', []],
    ['in_process', 'verifying', []],
    ['authorized', 'accepted_by_provider', []],
    ['approved', 'executed_by_provider', []],
    ['refunded', 'complete', []],
    ['rejected', 'card_closed', []],
    ['cancelled', 'by_request', []],
    ['dismissed', 'contested_by_payer', []],
  ])('should leave for %s (%s) what is still ahead (R3, R5)', (status, statusDetail, expected) => {
    expect(remainingCheckpoints(ALL, status, statusDetail)).toEqual(expected);
  });

  it('should not take the word of another checkpoint for having passed this one (R3)', () => {
    expect(remainingCheckpoints(ALL, 'review', PASSED_DETAIL.validate)).toEqual([REVIEW, DEFERRED]);
    expect(remainingCheckpoints(ALL, 'validate', PASSED_DETAIL.review)).toEqual(ALL);
  });

  it('should stop at what is ahead although the checkpoint it stands at is demanded no more (R3)', () => {
    expect(remainingCheckpoints([REVIEW], 'validate', 'awaiting_payer')).toEqual([REVIEW]);
    expect(remainingCheckpoints([], 'review', 'awaiting_approval')).toEqual([]);
  });
});

describe('deferredUntilMs', () => {
  const until = (executeAt: string | null, windowMs: number, nowMs = NOW_MS): number => deferredUntilMs({ kind: 'deferred', executeAt, windowMs }, nowMs);

  it('should be the later of the execution time and the end of the window (R5)', () => {
    expect(until(TOMORROW, 0)).toBe(NOW_MS + DAY_MS);
    expect(until(TOMORROW, 60_000)).toBe(NOW_MS + DAY_MS);
    expect(until(TOMORROW, 2 * DAY_MS)).toBe(NOW_MS + 2 * DAY_MS);
    expect(until(null, 60_000)).toBe(NOW_MS + 60_000);
  });

  it('should be now when its time passed while the refund stood at an earlier checkpoint (R5)', () => {
    expect(until(TOMORROW, 0, NOW_MS + 3 * DAY_MS)).toBe(NOW_MS + 3 * DAY_MS);
  });
});

describe('PASSED_DETAIL', () => {
  it('should have a word of its own for each checkpoint (R3, R5)', () => {
    expect(PASSED_DETAIL).toEqual({ validate: 'confirmed', review: 'reviewed' });
  });
});
