import type { FollowOutcome, LegPlan, ReserveRefundResult, SendOutcome } from '../../activities/contracts.ts';
import type { Checkpoint } from '../../src/domain/checkpoint.ts';
import type { SendProtocol } from '../../src/domain/send-protocol.ts';

/** The rules of a provider like Conekta: a minute to settle, three sends. */
export const PROTOCOL: SendProtocol = { idempotency: 'balance', settleDelayMs: 60_000, maxSends: 3 };

/** A reservation of one leg per given turn, each of 5,000 minor units. */
export function reserved(turns: readonly boolean[] = [true], protocol: SendProtocol = PROTOCOL): Extract<ReserveRefundResult, { kind: 'reserved' }> {
  const legs = turns.map((hasTurn, index): LegPlan => ({ legId: `leg_${index + 1}`, chargeId: `charge_${index + 1}`, amountMinor: 5000, hasTurn }));
  return { kind: 'reserved', provider: 'conekta', currency: 'MXN', amountMinor: 5000 * legs.length, legs, protocol, alreadySent: false };
}

/** The provider did it, and the whole refund is done with it. */
export const ACCEPTED = { kind: 'accepted', refundStatus: 'refunded', statusDetail: 'complete', nextTurn: null } as const satisfies SendOutcome;

/** The provider refused, and the whole refund is refused with it. */
export const DECLINED = { kind: 'declined', refundStatus: 'rejected', statusDetail: 'conekta.errors.refused', nextTurn: null } as const satisfies SendOutcome;

/** A look that finds the refund done. */
export const FOUND = { ...ACCEPTED, kind: 'found' } as const;

const HOUR_MS = 3_600_000;

/** The payer has two days. */
export const VALIDATE = { kind: 'validate', expiresAfterMs: 48 * HOUR_MS } as const satisfies Checkpoint;

/** A second person has the three days of R3. */
export const REVIEW = { kind: 'review', expiresAfterMs: 72 * HOUR_MS } as const satisfies Checkpoint;

/** An hour in which the refund may still be called off. */
export const WINDOW = { kind: 'deferred', executeAt: null, windowMs: HOUR_MS } as const satisfies Checkpoint;

/** A reservation of one leg with stops before the send: no leg has a place in line before the last is passed. */
export function stopping(...checkpoints: readonly Checkpoint[]): ReserveRefundResult {
  return { ...reserved([false]), checkpoints };
}

/** The provider accepted and has not executed. */
export const AUTHORIZED = { kind: 'accepted', refundStatus: 'authorized', statusDetail: 'accepted_by_provider', legStatus: 'authorized', nextTurn: null } as const satisfies SendOutcome;

/** What looks at a refund say that the provider accepted. */
export const FOLLOWED = {
  authorized: { ...AUTHORIZED, kind: 'known' },
  approved: { kind: 'known', refundStatus: 'approved', statusDetail: 'executed_by_provider', legStatus: 'approved', nextTurn: null },
  refunded: { kind: 'known', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded', nextTurn: null },
  rejected: { kind: 'known', refundStatus: 'rejected', statusDetail: 'failed_at_provider', legStatus: 'refused', nextTurn: null },
} as const satisfies Record<string, FollowOutcome>;
