import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PASSED_DETAIL, checkpointsFor, deferredUntilMs, remainingCheckpoints } from '../../src/domain/checkpoint.ts';
import type { Checkpoint, CheckpointKind, RefundDemands, RefundPolicy } from '../../src/domain/checkpoint.ts';
import { REFUND_STATUSES, isCancellableRefundStatus } from '../../src/domain/refund-status.ts';

const PATH: readonly CheckpointKind[] = ['validate', 'review', 'deferred'];
const YEAR_MS = 31_536_000_000;

const nowMs = fc.integer({ min: Date.UTC(2025, 0), max: Date.UTC(2035, 0) });
const amountMinor = fc.integer({ min: 1, max: 1_000_000 });
const durationMs = fc.integer({ min: 1, max: YEAR_MS });
const policies: fc.Arbitrary<RefundPolicy> = fc.record({
  reviewThresholdMinor: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
  reviewExpiryMs: durationMs,
  requirePayerConfirmation: fc.boolean(),
  payerConfirmationExpiryMs: durationMs,
  cancellationWindowMs: fc.oneof(fc.constant(0), durationMs),
});
const demandsAt = (now: number): fc.Arbitrary<RefundDemands> => fc.record({
  requireReview: fc.boolean(),
  requirePayerConfirmation: fc.boolean(),
  executeAt: fc.integer({ min: -YEAR_MS, max: YEAR_MS }).map((offset) => new Date(now + offset).toISOString()),
  cancellationWindowSeconds: fc.integer({ min: 0, max: 1_000_000 }),
}, { requiredKeys: [] });

interface Asked { readonly policy: RefundPolicy; readonly demands: RefundDemands; readonly amount: number; readonly now: number }
const asked: fc.Arbitrary<Asked> = nowMs.chain((now) => fc.record({ policy: policies, demands: demandsAt(now), amount: amountMinor, now: fc.constant(now) }));
const all = ({ policy, demands, amount, now }: Asked): readonly Checkpoint[] => checkpointsFor(policy, demands, amount, now);
const kinds = (checkpoints: readonly Checkpoint[]): readonly CheckpointKind[] => checkpoints.map(({ kind }) => kind);
const deferredOf = (checkpoints: readonly Checkpoint[]) => checkpoints.find((checkpoint) => checkpoint.kind === 'deferred');

describe('checkpointsFor', () => {
  it('should meet each checkpoint at most once, in the order validate, review, deferred (PRODUCT §5)', () => {
    fc.assert(fc.property(asked, (one) => {
      const met = kinds(all(one));
      expect(met).toEqual(PATH.filter((kind) => met.includes(kind)));
    }));
  });

  it('should only add by a request, never take away nor shorten what the merchant demands (R3, R5)', () => {
    fc.assert(fc.property(asked, (one) => {
      const demanded = all({ ...one, demands: {} });
      const met = all(one);
      for (const checkpoint of demanded) {
        if (checkpoint.kind !== 'deferred') expect(met).toContainEqual(checkpoint);
        else expect(deferredOf(met)?.windowMs).toBeGreaterThanOrEqual(checkpoint.windowMs);
      }
    }));
  });

  it('should grant a request whatever it adds (R3, R5)', () => {
    fc.assert(fc.property(asked, (one) => {
      const { requireReview, requirePayerConfirmation, executeAt, cancellationWindowSeconds } = one.demands;
      const met = all(one);
      if (requireReview === true) expect(kinds(met)).toContain('review');
      if (requirePayerConfirmation === true) expect(kinds(met)).toContain('validate');
      const deferred = deferredOf(met);
      const untilMs = deferred === undefined ? one.now : deferredUntilMs(deferred, one.now);
      if (executeAt !== undefined) expect(untilMs).toBeGreaterThanOrEqual(Date.parse(executeAt));
      if (cancellationWindowSeconds !== undefined) expect(untilMs).toBeGreaterThanOrEqual(one.now + cancellationWindowSeconds * 1000);
    }));
  });

  it('should review a larger refund whenever it reviews a smaller one (R3)', () => {
    fc.assert(fc.property(asked, amountMinor, (one, more) => {
      if (kinds(all(one)).includes('review')) expect(kinds(all({ ...one, amount: one.amount + more }))).toContain('review');
    }));
  });
});

describe('remainingCheckpoints', () => {
  /** What is recorded of a refund on its way: the status of each checkpoint as it is entered, and its word as it is passed. */
  const WAITING = { validate: 'awaiting_payer', review: 'awaiting_approval', deferred: 'awaiting_execution_time' } as const;

  it('should lead a Workflow that is reset anywhere, any number of times, past each checkpoint once, and past all of them (R3, R5)', () => {
    fc.assert(fc.property(asked, fc.array(fc.boolean(), { maxLength: 12 }), (one, resets) => {
      const checkpoints = all(one);
      const passed: CheckpointKind[] = [];
      let record: { status: CheckpointKind | 'pending'; detail: string } = { status: 'pending', detail: 'reserved' };
      let ahead = [...remainingCheckpoints(checkpoints, record.status, record.detail)];
      let step = 0;
      const resetNow = (): boolean => resets[step++] === true;
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
        record = { status: next.kind, detail: WAITING[next.kind] };
        if (resetNow()) {
          ahead = [...remainingCheckpoints(checkpoints, record.status, record.detail)];
          continue;
        }
        passed.push(next.kind);
        // Nobody writes down that a time has come: what follows is the send.
        if (next.kind === 'deferred') continue;
        record = { status: next.kind, detail: PASSED_DETAIL[next.kind] };
        if (resetNow()) ahead = [...remainingCheckpoints(checkpoints, record.status, record.detail)];
      }
      expect(passed).toEqual(kinds(checkpoints));
    }));
  });

  it('should have none ahead of what was sent or is over, and only its own otherwise (R4, I4)', () => {
    const status = fc.constantFrom(...REFUND_STATUSES);
    const detail = fc.oneof(fc.constantFrom<string>(...Object.values(PASSED_DETAIL), ...Object.values(WAITING)), fc.string());
    fc.assert(fc.property(asked, status, detail, (one, at, statusDetail) => {
      const ahead = remainingCheckpoints(all(one), at, statusDetail);
      if (!isCancellableRefundStatus(at)) expect(ahead).toEqual([]);
      expect(ahead).toEqual(all(one).slice(all(one).length - ahead.length));
    }));
  });
});

describe('deferredUntilMs', () => {
  it('should never be before the execution time, nor before the window that begins now is over, and no later than it must (R5)', () => {
    const executeAt = fc.option(nowMs.map((at) => new Date(at).toISOString()));
    fc.assert(fc.property(executeAt, fc.oneof(fc.constant(0), durationMs), nowMs, (at, windowMs, now) => {
      const untilMs = deferredUntilMs({ kind: 'deferred', executeAt: at, windowMs }, now);
      const ends = [now + windowMs, ...(at === null ? [] : [Date.parse(at)])];
      for (const end of ends) expect(untilMs).toBeGreaterThanOrEqual(end);
      expect(ends).toContain(untilMs);
    }));
  });
});
