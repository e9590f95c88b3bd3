import { followProvider } from '../../domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
import type { Records } from '../records.ts';

/**
 * Takes in what a provider says of a payout order that no Workflow runs for any more: nobody is left to ask the provider, so what the
 * books do not know becomes a case (P6, O1). What they knew before, in whatever order it arrives, changes nothing.
 */
export async function takeInLateFact(records: Records, merchantId: string, payoutOrderId: string, theirs: PayoutOrderStatus): Promise<void> {
  // Read only now: a record from before the signal may be older than the end of the Workflow.
  const record = await records.readPayoutOrder(merchantId, payoutOrderId);
  if (record === null || !isNews(record.status, theirs) || (await records.hasPassed(merchantId, payoutOrderId, theirs))) return;
  await records.openCase({ merchantId, payoutOrderId, kind: record.status === 'withdrawn' && theirs === 'reversed' ? 'late_reversal' : 'contradiction' });
}

/** Whether a status is new to our books: one they exclude, or one they would follow if their Workflow had not been ended by hand. */
function isNews(ours: PayoutOrderStatus, theirs: PayoutOrderStatus): boolean {
  const follow = followProvider(ours, theirs);
  return follow.kind === 'contradiction' || follow.events.length > 0;
}
