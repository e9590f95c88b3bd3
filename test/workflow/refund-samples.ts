import type { LegPlan, ReserveRefundResult, SendOutcome } from '../../activities/contracts.ts';
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
