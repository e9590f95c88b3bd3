import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { NotRunningError } from '../../client/client-errors.ts';
import { isFinalPayoutOrderStatus } from '../../domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
import type { PayoutOrderRecord } from '../../store/payout-orders/read.ts';
import type { ApiContext } from '../api-context.ts';
import { isBeingIssued } from '../conekta/ask-payout-order.ts';
import { ApiError } from '../errors.ts';
import { notFound } from '../path-id.ts';
import { revivePayoutOrder } from '../revive-payout-order.ts';
import { takeInLateFact } from '../webhooks/late-fact.ts';
import { renderNativePayoutOrder } from './render-payout-order.ts';

/** What a rail may report (P6), as the last part of the address says it. */
export const RAIL_FACTS = ['withdrawal', 'confirmation', 'reversal'] as const;

/** One of them. */
export type RailFact = (typeof RAIL_FACTS)[number];

/** Body of a report: nothing, or the rail's own name of the event, 1 to 255 printable ASCII characters. */
export const railFactSchema = z.strictObject({ event_id: z.string().regex(/^[\x20-\x7e]{1,255}$/).optional() });

/** What became of a report: whether the books contain the fact now, and how the payout order stands. */
export interface ReportedFact {
  readonly isOnRecord: boolean;
  readonly record: PayoutOrderRecord;
}

/** A fact that a rail reports, of which payout order. */
export interface RailReport {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  readonly fact: RailFact;
  readonly eventId?: string | undefined;
}

/** In which status a payout order is when a fact becomes true. */
const STATUS_OF: Readonly<Record<RailFact, PayoutOrderStatus>> = { withdrawal: 'pending_confirmation', confirmation: 'withdrawn', reversal: 'reversed' };

/**
 * Takes in what a rail reports (P6). The Workflow asks the provider before anything changes (P2); what the books contain already changes
 * nothing. What they exclude becomes a case, once, as it does when a webhook tells it.
 * @throws ApiError 404; 409 when the payout order is over and does not contain the fact; 503 when nobody is there to follow it; TemporalUnavailableError
 */
export async function reportRailFact(context: ApiContext, { merchantId, payoutOrderId, fact, eventId = randomUUID() }: RailReport): Promise<ReportedFact> {
  const read = (): Promise<PayoutOrderRecord> => readRecord(context, merchantId, payoutOrderId);
  const before = await read();
  if (contains(before.status, fact)) return { isOnRecord: true, record: before };
  const notRunning = isOver(before) ? null : await tell(context, merchantId, payoutOrderId, { type: fact, eventId });
  const record = await read();
  if (contains(record.status, fact)) return { isOnRecord: true, record };
  if (!isOver(record) && notRunning === null) return { isOnRecord: false, record };
  // Its Workflow was ended by hand: begun again, it asks the provider.
  if (!isOver(record) && (await revivePayoutOrder(context, merchantId, payoutOrderId))) return { isOnRecord: false, record };
  await takeInLateFact(context.records, { merchantId, payoutOrderId, theirs: STATUS_OF[fact], happenedAt: null });
  if (!isOver(record)) throw new ApiError({ code: 'unavailable' }, { cause: notRunning, retryAfterSeconds: 1 });
  throw new ApiError({ code: 'payout_order_says_otherwise', values: { status: record.status } }, { data: { payout_order: renderNativePayoutOrder(await read()) } });
}

/** Reports to the Workflow, which asks the provider; answers the error when there is none (any more). */
async function tell({ client, syncWaitMs }: ApiContext, merchantId: string, payoutOrderId: string, fact: { readonly type: RailFact; readonly eventId: string }): Promise<NotRunningError | null> {
  try {
    await client.reportPayoutFact(merchantId, payoutOrderId, fact, { waitMs: syncWaitMs });
    return null;
  } catch (error) {
    if (error instanceof NotRunningError) return error;
    throw error;
  }
}

/**
 * Whether books in this status contain a fact. A payout order that was cancelled does not contain a withdrawal, also if it began before
 * the cancellation: the rail must not pay (P4).
 */
function contains(status: PayoutOrderStatus, fact: RailFact): boolean {
  if (fact === 'withdrawal') return status === 'pending_confirmation' || status === 'withdrawn' || status === 'reversed';
  return status === STATUS_OF[fact];
}

/** Whether nothing can happen to a payout order any more: it is final, or its reference was never issued and never will be (P1). */
function isOver(record: PayoutOrderRecord): boolean {
  return isFinalPayoutOrderStatus(record.status) || (record.status === 'open' && !isBeingIssued(record));
}

async function readRecord({ records }: ApiContext, merchantId: string, payoutOrderId: string): Promise<PayoutOrderRecord> {
  const record = await records.readPayoutOrder(merchantId, payoutOrderId);
  if (record === null) throw notFound('PayoutOrder', payoutOrderId);
  return record;
}
