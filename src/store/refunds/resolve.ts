import type { LegResolution } from '../../domain/case.ts';
import type { Database } from '../database.ts';
import type { OrderSnapshot } from '../orders.ts';
import { quietForMs } from '../quiet-time.ts';
import type { QuietTime } from '../quiet-time.ts';
import type { Acting, Tx } from '../transitions.ts';
import { writeAct } from './checkpoints.ts';
import { lockLeg } from './send.ts';
import type { LegKey, LockedLeg } from './send.ts';
import { settleLockedLeg, standingLockedLeg } from './settle.ts';
import type { SettledLeg } from './settle.ts';

/** A leg settled by the word of a human, or why that word could not be taken. */
export type ResolvedLeg = { readonly kind: 'settled'; readonly settled: SettledLeg } | { readonly kind: 'refused'; readonly why: 'provider_refund_taken' | 'never_sent' | 'too_early' };

/** What a human said, and what the provider shows of it. */
export interface Word {
  readonly resolution: LegResolution;
  /** How far the provider shows the refund to be; `succeeded` when it shows nothing. */
  readonly accepted: 'authorized' | 'approved' | 'succeeded';
  readonly seen: { readonly order: OrderSnapshot; readonly seenAt: Date } | null;
  readonly quiet: QuietTime;
}

/** Legs that wait for their outcome. */
const OPEN: ReadonlySet<LockedLeg['status']> = new Set(['reserved', 'sending', 'unknown', 'authorized', 'approved']);

/**
 * Settles a leg as a human says (O2), in one transaction with the audit of the act (O3): `succeeded` with the provider's id books the
 * movement, `failed` releases the hold; either way no send of the leg gets a permit any more. A leg that is settled already stays as it is.
 */
export async function resolveLeg(db: Database, acting: Acting, key: LegKey, { resolution, accepted, seen, quiet }: Word): Promise<ResolvedLeg> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (!OPEN.has(leg.status)) return { kind: 'settled', settled: await standingLockedLeg(tx, acting, key, leg) };
    if (resolution.outcome === 'succeeded') {
      if (leg.status === 'reserved') return { kind: 'refused', why: 'never_sent' };
      if (await isTaken(tx, key, leg, resolution.providerRefundId)) return { kind: 'refused', why: 'provider_refund_taken' };
    } else if ((leg.status === 'sending' || leg.status === 'unknown') && (await quietForMs(tx, leg, quiet)) > 0) {
      // Its call may still take effect: nobody can know yet that it failed (S4).
      return { kind: 'refused', why: 'too_early' };
    }
    const settled = await settleLockedLeg(tx, acting, key, leg, resolution.outcome === 'succeeded'
      ? { kind: accepted, providerRefundId: resolution.providerRefundId, seen }
      : { kind: 'refused', refusal: 'resolved_as_failed', seen });
    await writeAct(tx, acting, key, `resolved_${resolution.outcome}`, { status: settled.refundStatus, status_detail: settled.statusDetail });
    return { kind: 'settled', settled };
  });
}

/** Whether the provider's refund is another leg's, or was there before this leg was sent, or is not the one that this leg was accepted as. */
async function isTaken(tx: Tx, key: LegKey, leg: LockedLeg, providerRefundId: string): Promise<boolean> {
  if (leg.provider_refund_id !== null) return leg.provider_refund_id !== providerRefundId;
  if (leg.refunds_before.includes(providerRefundId)) return true;
  const other = await tx.selectFrom('legs').select('leg_id').where('merchant_id', '=', key.merchantId).where('provider_refund_id', '=', providerRefundId).executeTakeFirst();
  return other !== undefined;
}
