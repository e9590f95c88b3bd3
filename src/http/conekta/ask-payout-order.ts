import { TemporalUnavailableError } from '../../client/client-errors.ts';
import { payoutOrderFingerprint } from '../../client/reintegro-client.ts';
import type { NewPayoutOrder, PayoutOrderAnswer } from '../../client/reintegro-client.ts';
import type { PayoutOrderRecord } from '../../store/payout-orders/read.ts';
import { PAYOUT_ORDER_OPERATION } from '../../store/payout-orders/register.ts';
import { ApiError } from '../errors.ts';
import { RecordsUnavailableError } from '../records.ts';
import type { Records } from '../records.ts';
import type { ConektaContext } from './conekta-context.ts';

/** A payout order request taken in, and its record when there is one yet. */
export interface AskedPayoutOrder {
  readonly payoutOrderId: string;
  readonly record: PayoutOrderRecord | null;
  /** Whether the key stood for this payout order before (R8). */
  readonly isReplay: boolean;
}

/** Details of an `open` payout order whose reference may still be issued; any other means that issuing failed for good (P1). */
const STILL_ISSUING: ReadonlySet<string> = new Set(['registered', 'issuing', 'verifying']);

/** Whether the outcome of creating a payout order is still out (P1). */
export function isBeingIssued(record: PayoutOrderRecord): boolean {
  return record.status === 'open' && STILL_ISSUING.has(record.statusDetail);
}

/**
 * Finds the payout order that a caller's key stands for, or `null`.
 * @throws ApiError 422 when the key stands for another request; RecordsUnavailableError
 */
export async function knownPayoutOrder(records: Records, order: NewPayoutOrder): Promise<AskedPayoutOrder | null> {
  const known = await records.findKey(order.merchantId, PAYOUT_ORDER_OPERATION, order.idempotencyKey);
  if (known === null) return null;
  if (known.fingerprint !== payoutOrderFingerprint(order)) throw new ApiError({ code: 'idempotency_key_reused', param: 'Idempotency-Key' });
  const record = await records.readPayoutOrder(order.merchantId, known.resourceId);
  return record === null ? null : { payoutOrderId: known.resourceId, record, isReplay: true };
}

/**
 * Creates a payout order, or joins the one under way that its key stands for, and waits for its outcome.
 * @throws ApiError 422, KeyReusedError; TemporalUnavailableError while it is not known whether the request was taken in
 */
export async function askPayoutOrder(context: ConektaContext, order: NewPayoutOrder, isKeyGiven: boolean, known: AskedPayoutOrder | null): Promise<AskedPayoutOrder> {
  try {
    const answer = await context.client.createPayoutOrder(order, { waitMs: context.syncWaitMs, firstAnswerSuffices: true });
    return { payoutOrderId: answer.payoutOrderId, record: await recordAfter(context.records, order, answer, isKeyGiven), isReplay: known !== null };
  } catch (error) {
    if (known !== null && error instanceof TemporalUnavailableError) return known;
    throw error;
  }
}

async function recordAfter(records: Records, order: NewPayoutOrder, answer: PayoutOrderAnswer, isKeyGiven: boolean): Promise<PayoutOrderRecord | null> {
  try {
    // A request that got no answer from its Workflow was not compared with the one that started it.
    if (isKeyGiven && answer.kind !== 'answered') await knownPayoutOrder(records, order);
    const record = await records.readPayoutOrder(order.merchantId, answer.payoutOrderId);
    if (record === null && answer.kind === 'closed') throw new ApiError({ code: 'idempotency_key_spent', param: 'Idempotency-Key' });
    return record;
  } catch (error) {
    if (!(error instanceof RecordsUnavailableError) || answer.kind === 'closed') throw error;
    return null;
  }
}
