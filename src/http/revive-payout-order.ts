import type { ReintegroClient } from '../client/reintegro-client.ts';
import type { Records } from './records.ts';

/**
 * Begins the Workflow of a payout order again that was ended by hand before it was over; it asks the provider what it missed (I3). `false` when it
 * came to its end, or when its request is not on record any more.
 * @throws TemporalUnavailableError, RecordsUnavailableError
 */
export async function revivePayoutOrder({ records, client }: { readonly records: Records; readonly client: ReintegroClient }, merchantId: string, payoutOrderId: string): Promise<boolean> {
  const request = await records.readRecordedRequest(merchantId, payoutOrderId);
  return request !== null && client.revivePayoutOrder({ ...request, expiresAt: request.expiresAt.toISOString() });
}
