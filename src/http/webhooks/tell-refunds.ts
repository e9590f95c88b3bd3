import { NotRunningError } from '../../client/client-errors.ts';
import type { ReintegroClient } from '../../client/reintegro-client.ts';
import type { LegOfOrder } from '../../store/refunds/read.ts';
import type { Records } from '../records.ts';

/** What telling refunds needs. */
interface Telling {
  readonly records: Records;
  readonly client: ReintegroClient;
}

/** An order may be older than what we settled by this much without saying anything about it, milliseconds. */
const SNAPSHOT_AGE_MS = 10_000;

/** A charge as an event shows it: its refunds by id, whether they failed, and whether these are all. */
export interface ShownCharge {
  readonly isWhole: boolean;
  readonly failed: ReadonlyMap<string, boolean>;
  /** The provider's words for them, where it has any: one that we know already is no news. */
  readonly words?: ReadonlyMap<string, string>;
}

/** What an event shows of an order: the states of its refunds by charge, as far as it shows them, and when it was made. */
export interface ShownRefunds {
  readonly orderId: string;
  readonly madeAtMs: number;
  readonly charges: ReadonlyMap<string, ShownCharge>;
}

/**
 * Tells the refunds of an order that something happened at their provider (R6, R9). What the event says is a hint and never believed:
 * a refund under way asks the provider; one that is done is looked at again only if the event gives reason to doubt it.
 */
export async function tellRefunds(telling: Telling, provider: string, shown: ShownRefunds, eventId: string): Promise<void> {
  const legs = await telling.records.acceptedLegsOfOrder(provider, shown.orderId);
  for (const leg of onePerRefund(legs.filter((leg) => leg.status !== 'succeeded' && isNews(leg, shown)))) await tellRefund(telling, leg, eventId);
  for (const leg of onePerRefund(legs.filter((candidate) => candidate.status === 'succeeded' && isDoubtful(candidate, shown)))) {
    await telling.client.reviewRefund(leg.merchantId, leg.refundId, shown.orderId, eventId);
  }
}

/** Whether an event may have news of a refund under way: not when it shows the very word that the provider was last seen to say. */
function isNews({ chargeId, providerRefundId, providerStatus }: LegOfOrder, { charges }: ShownRefunds): boolean {
  return providerRefundId === null || providerStatus === null || charges.get(chargeId)?.words?.get(providerRefundId) !== providerStatus;
}

function onePerRefund(legs: readonly LegOfOrder[]): readonly LegOfOrder[] {
  return [...new Map(legs.map((leg) => [`${leg.merchantId} ${leg.refundId}`, leg])).values()];
}

async function tellRefund({ records, client }: Telling, { merchantId, refundId }: LegOfOrder, eventId: string): Promise<void> {
  try {
    await client.signalRefundFact(merchantId, refundId, eventId);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    // Its Workflow was ended by hand, and nobody follows it any more; or it has just come to its end, and then this opens no case.
    await records.openCase({ merchantId, refundId, kind: 'workflow_gone' });
  }
}

/** Whether an event gives reason to doubt a refund that is done: shown as failed, or no longer shown by an order that is newer. */
function isDoubtful({ chargeId, providerRefundId, updatedAt }: LegOfOrder, { charges, madeAtMs }: ShownRefunds): boolean {
  const shown = charges.get(chargeId);
  if (shown === undefined || providerRefundId === null) return false;
  return shown.failed.get(providerRefundId) ?? (shown.isWhole && updatedAt.getTime() + SNAPSHOT_AGE_MS < madeAtMs);
}
