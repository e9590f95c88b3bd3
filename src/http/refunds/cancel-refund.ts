import { NotCancellableError, NotRunningError } from '../../client/client-errors.ts';
import { isCancellableRefundStatus } from '../../domain/refund-status.ts';
import type { KeyHolder } from '../../store/merchants.ts';
import type { RefundRecord } from '../../store/refunds/read.ts';
import type { ApiContext } from '../api-context.ts';
import { ApiError } from '../errors.ts';

/** Calls a refund off (R4). Answers 200 when it is cancelled, 202 while the verdict is out. @throws ApiError 428 when it is too late */
export async function cancelRefund(context: ApiContext, { merchantId, keyPrefix }: KeyHolder, record: Pick<RefundRecord, 'refundId' | 'status'>): Promise<200 | 202> {
  if (record.status === 'cancelled') return 200;
  if (!isCancellableRefundStatus(record.status)) throw notCancellable(record.status);
  try {
    const view = await context.client.cancelRefund(merchantId, record.refundId, keyPrefix, { waitMs: context.syncWaitMs });
    return view?.status === 'cancelled' ? 200 : 202;
  } catch (error) {
    if (!(error instanceof NotCancellableError || error instanceof NotRunningError)) throw error;
    const now = (await context.records.readRefund(merchantId, record.refundId))?.status ?? record.status;
    if (now === 'cancelled') return 200;
    // Its Workflow is gone and the records wait for it: nothing can be said before someone has looked.
    if (error instanceof NotRunningError && isCancellableRefundStatus(now)) throw new ApiError({ code: 'unavailable' }, { cause: error, retryAfterSeconds: 1 });
    throw notCancellable(error instanceof NotCancellableError && isCancellableRefundStatus(now) ? error.view?.status ?? now : now);
  }
}

function notCancellable(status: string): ApiError {
  return new ApiError({ code: 'refund_not_cancellable', values: { status } });
}
