import { NotRunningError } from '../../client/client-errors.ts';
import { currencyExponent } from '../../domain/money.ts';
import type { KeyHolder } from '../../store/merchants.ts';
import type { ApiContext } from '../api-context.ts';
import { ApiError } from '../errors.ts';
import { notFound } from '../path-id.ts';
import { PROVIDER } from './provider-name.ts';
import type { ShownRefund } from './render-devolucion.ts';

/** The form of our own refund ids. */
const REFUND_ID = /^rfd_[0-9a-f]{32}$/;

/** Whether amounts of a currency can be said with two places. */
export function isSayable(currency: string): boolean {
  return currencyExponent(currency) === 2;
}

/** Which refund of a payment is sought: by our id or its provider's, by the caller's own reference (the last one with it), or simply the last one. */
export interface SoughtRefund {
  readonly refundId?: string | undefined;
  readonly externalReference?: string | undefined;
}

/**
 * Finds the refund of a payment that is sought. One that was taken in and is not on record yet is told all the same:
 * whoever asks for it must not read that it does not exist, and ask for another one.
 * @throws ApiError 404; 422 in a currency that this dialect cannot say; RecordsUnavailableError, TemporalUnavailableError
 */
export async function findDevolucion(context: ApiContext, caller: KeyHolder, paymentId: string, sought: SoughtRefund): Promise<ShownRefund> {
  const refund = await context.records.refundOfCharge(caller.merchantId, paymentId, sought);
  if (refund === null) return findTakenIn(context, caller, paymentId, sought.refundId);
  if (refund.currency !== null && !isSayable(refund.currency)) throw new ApiError({ code: 'currency_not_supported' });
  return refund;
}

async function findTakenIn({ client, records }: ApiContext, { merchantId }: KeyHolder, paymentId: string, refundId: string | undefined): Promise<ShownRefund> {
  if (refundId === undefined) throw notFound('Refund', paymentId);
  if (!REFUND_ID.test(refundId)) throw notFound('Refund', refundId);
  const place = await records.findCharge(merchantId, paymentId);
  try {
    if ((await client.orderOfRefund(merchantId, refundId)) !== (place?.orderId ?? paymentId)) throw notFound('Refund', refundId);
  } catch (error) {
    if (error instanceof NotRunningError) throw notFound('Refund', refundId);
    throw error;
  }
  return {
    refundId, provider: place?.provider ?? PROVIDER, chargeId: paymentId, merchantId, merchantName: null, status: 'pending', statusDetail: 'accepted', amountMinor: null, reason: null, requestedBy: '',
    details: {}, receipt: null,
  };
}
