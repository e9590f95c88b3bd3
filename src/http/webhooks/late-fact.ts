import { followProvider } from '../../domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
import type { PayoutOrderRecord } from '../../store/payout-orders/read.ts';
import type { Records } from '../records.ts';

/** Providers date their messages by the second that they fell into. */
const SECOND_MS = 1000;
/** How far the provider's clock and the database's may differ. */
const CLOCK_SKEW_MS = 5000;

/** What a provider says of a payout order that no Workflow runs for any more. */
export interface LateFact {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  /** The status that it tells. */
  readonly theirs: PayoutOrderStatus;
  /** When the provider says that it came about, by its clock; `null` where it does not say. */
  readonly happenedAt: Date | null;
}

/**
 * Takes in a late fact: nobody is left to ask the provider, so what the books do not know becomes a case (P6, O1). What they knew before, in
 * whatever order it arrives, changes nothing.
 */
export async function takeInLateFact(records: Records, { merchantId, payoutOrderId, theirs, happenedAt }: LateFact): Promise<void> {
  // Read only now: a record from before the signal may be older than the end of the Workflow.
  const record = await records.readPayoutOrder(merchantId, payoutOrderId);
  if (record === null || !isNews(record.status, theirs)) return;
  const isBeforeEnd = happenedAt !== null && (await records.endedAfter(merchantId, payoutOrderId, new Date(happenedAt.getTime() - CLOCK_SKEW_MS)));
  // A void reference that the provider honours again since: that our books have been there before explains nothing.
  const isHonouredAgain = happenedAt !== null && !isBeforeEnd && isVoid(record.status);
  if (!isHonouredAgain && (await records.hasPassed(merchantId, payoutOrderId, theirs))) return;
  if (isBeforeEnd && isOvertaken(record, theirs, happenedAt)) return;
  await records.openCase({ merchantId, payoutOrderId, kind: record.status === 'withdrawn' && theirs === 'reversed' ? 'late_reversal' : 'contradiction' });
}

function isVoid(status: PayoutOrderStatus): boolean {
  return status === 'cancelled' || status === 'expired';
}

/** Whether a status is new to our books: one they exclude, or one they would follow if their Workflow had not been ended by hand. */
function isNews(ours: PayoutOrderStatus, theirs: PayoutOrderStatus): boolean {
  const follow = followProvider(ours, theirs);
  return follow.kind === 'contradiction' || follow.events.length > 0;
}

/**
 * Whether a status can have come before ours without our books having seen it: a withdrawal that began was voided with its reference, and its
 * message came behind that of the void. If cash moves all the same, the provider has more to tell: that it was withdrawn. One that began before
 * its reference ran out should have had its window (P3).
 */
function isOvertaken({ status, expiresAt }: PayoutOrderRecord, theirs: PayoutOrderStatus, happenedAt: Date): boolean {
  return theirs === 'pending_confirmation' && (status === 'cancelled' || (status === 'expired' && happenedAt.getTime() + SECOND_MS > expiresAt.getTime()));
}
