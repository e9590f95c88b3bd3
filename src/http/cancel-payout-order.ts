import { setTimeout as pause } from 'node:timers/promises';
import { NotCancellableError, NotRunningError } from '../client/client-errors.ts';
import { isCancellablePayoutOrderStatus } from '../domain/payout-order.ts';
import type { KeyHolder } from '../store/merchants.ts';
import type { PayoutOrderRecord } from '../store/payout-orders/read.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './errors.ts';
import { notFound } from './path-id.ts';
import { revivePayoutOrder } from './revive-payout-order.ts';

/** The Workflow is never more than one task behind the records, milliseconds. */
const WORKFLOW_CATCHES_UP_MS = 50;

/** A payout order after a cancellation was asked for. */
export interface CancelledPayoutOrder {
  /** Whether it is cancelled; otherwise the verdict is still out. */
  readonly isDecided: boolean;
  readonly record: PayoutOrderRecord;
}

/**
 * Calls a payout order off (P4): the provider has the last word. Cancelled again, it answers the same.
 * @throws ApiError 404; 428 when it is too late or the provider refuses, unchanged; TemporalUnavailableError
 */
export async function cancelPayoutOrder(context: ApiContext, caller: KeyHolder, id: string): Promise<CancelledPayoutOrder> {
  const giveUpAtMs = Date.now() + context.syncWaitMs;
  for (;;) {
    const before = await readRecord(context, caller, id);
    if (before.status === 'cancelled') return { isDecided: true, record: before };
    if (!isCancellablePayoutOrderStatus(before.status)) throw notCancellable(before.status);
    try {
      await context.client.cancelPayoutOrder(caller.merchantId, id, caller.keyPrefix, { waitMs: context.syncWaitMs });
      break;
    } catch (error) {
      if (!(error instanceof NotCancellableError || error instanceof NotRunningError)) throw error;
      const now = await readRecord(context, caller, id);
      if (now.status === 'cancelled') return { isDecided: true, record: now };
      if (!isCancellablePayoutOrderStatus(now.status)) throw notCancellable(now.status);
      // Refused as it stands: the provider had its say.
      if (error instanceof NotCancellableError && error.view?.status !== 'open') throw notCancellable(now.status);
      // Its Workflow was ended by hand before it was over: begun again, it is asked the next time.
      if (error instanceof NotRunningError) await revivePayoutOrder(context, caller.merchantId, id);
      // It has just begun again, or has yet to learn that its reference was issued.
      if (error instanceof NotRunningError || Date.now() >= giveUpAtMs) throw new ApiError({ code: 'unavailable' }, { cause: error, retryAfterSeconds: 1 });
      await pause(WORKFLOW_CATCHES_UP_MS);
    }
  }
  const record = await readRecord(context, caller, id);
  if (record.status !== 'cancelled' && !isCancellablePayoutOrderStatus(record.status)) throw notCancellable(record.status);
  return { isDecided: record.status === 'cancelled', record };
}

async function readRecord(context: ApiContext, { merchantId }: KeyHolder, id: string): Promise<PayoutOrderRecord> {
  const record = await context.records.readPayoutOrder(merchantId, id);
  if (record === null) throw notFound('PayoutOrder', id);
  return record;
}

function notCancellable(status: string): ApiError {
  return new ApiError({ code: 'payout_order_not_cancellable', values: { status } });
}
