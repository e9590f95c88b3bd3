import { refundFingerprint } from '../../client/reintegro-client.ts';
import type { NewRefund, RefundAnswer } from '../../client/reintegro-client.ts';
import { TemporalUnavailableError } from '../../client/client-errors.ts';
import { remainingMinor } from '../../domain/allocation.ts';
import { sumMinor } from '../../domain/money.ts';
import type { Money } from '../../domain/money.ts';
import { isFinalRefundStatus } from '../../domain/refund-status.ts';
import { refundOperation } from '../../store/refunds/reserve.ts';
import { ApiError } from '../errors.ts';
import { RecordsUnavailableError } from '../records.ts';
import type { Records } from '../records.ts';
import type { ApiContext } from '../api-context.ts';
import type { RefundStanding } from './refund-outcome.ts';

/** A refund to ask for, as a face has read it. */
export interface RefundAsked {
  readonly refund: NewRefund;
  /** Whether the caller sent the key: otherwise nobody can have used it before. */
  readonly isKeyGiven: boolean;
  /** The merchant's own provider. */
  readonly own: string;
}

/** A refund request taken in, and what is known of it. */
export interface AskedRefund {
  readonly refundId: string;
  readonly standing: RefundStanding;
  /** Whether the key stood for this refund before (R8). */
  readonly isReplay: boolean;
}

/**
 * Asks for a refund and waits for its outcome (R10). A key that stands for a finished refund is answered from the records; one whose refund is
 * under way waits with the first caller.
 * @throws ApiError 422 when the key stands for another request; KeyReusedError; TemporalUnavailableError, RecordsUnavailableError while
 * it is not known whether the refund was taken in
 */
export async function askRefund(context: ApiContext, { refund, isKeyGiven, own }: RefundAsked): Promise<AskedRefund> {
  const known = isKeyGiven ? await knownRefund(context.records, refund) : null;
  if (known !== null && isFinalRefundStatus(known.standing.status)) return known;
  try {
    const answer = await context.client.requestRefund(refund, { waitMs: context.syncWaitMs, firstAnswerSuffices: true, shownMoney: await shownMoney(context.records, refund, own), shownProvider: own });
    return { refundId: answer.refundId, standing: await standingAfter(context.records, refund, answer, isKeyGiven), isReplay: known !== null };
  } catch (error) {
    if (known !== null && error instanceof TemporalUnavailableError) return known;
    throw error;
  }
}

async function knownRefund(records: Records, refund: NewRefund): Promise<AskedRefund | null> {
  const known = await records.findKey(refund.merchantId, refundOperation(refund.orderId), refund.idempotencyKey);
  if (known === null) return null;
  if (known.fingerprint !== refundFingerprint(refund)) throw new ApiError({ code: 'idempotency_key_reused', param: 'Idempotency-Key' });
  const standing = await records.readRefund(refund.merchantId, known.resourceId);
  return standing === null ? null : { refundId: known.resourceId, standing, isReplay: true };
}

/** What stands after an answer: its Workflow's last word; before that the records, which are never behind the Workflow; without them, what it said. */
async function standingAfter(records: Records, refund: NewRefund, answer: RefundAnswer, isKeyGiven: boolean): Promise<RefundStanding> {
  if (answer.kind === 'answered' && isFinalRefundStatus(answer.view.status)) return answer.view;
  try {
    // A request that got no answer from its Workflow was not compared with the one that started it.
    if (isKeyGiven && answer.kind !== 'answered') await knownRefund(records, refund);
    const record = await records.readRefund(refund.merchantId, answer.refundId);
    if (record !== null) return record;
    if (answer.kind === 'closed') throw new ApiError({ code: 'idempotency_key_spent', param: 'Idempotency-Key' });
  } catch (error) {
    if (!(error instanceof RecordsUnavailableError) || answer.kind === 'closed') throw error;
  }
  return answer.kind === 'answered' ? answer.view : { status: 'pending', statusDetail: 'accepted' };
}

/** The money to show in the Temporal Web UI, as far as the records tell; the Workflow decides on its own. */
async function shownMoney(records: Records, refund: NewRefund, own: string): Promise<Money | undefined> {
  const order = await records.readOrder(refund.merchantId, refund.provider ?? own, refund.orderId);
  const charges = (order?.charges ?? []).filter((charge) => refund.chargeId === undefined || charge.chargeId === refund.chargeId);
  const [first] = charges;
  if (first === undefined) return undefined;
  const amountMinor = refund.amountMinor ?? sumMinor(charges.map(remainingMinor));
  return amountMinor === 0 ? undefined : { amountMinor, currency: first.currency };
}
