import { MAX_CANCELLATION_WINDOW_SECONDS } from '../domain/checkpoint.ts';
import { isCurrencyCode, isMovableAmount } from '../domain/money.ts';
import { BENEFICIARIES, REQUESTERS } from '../domain/refund-details.ts';
import { REFUND_TYPES } from '../domain/refund-receipt.ts';
import { isStorableJson, isStorableText } from '../domain/text.ts';
import { InvalidRequestError } from './client-errors.ts';
import type { NewPayoutOrder, NewRefund } from './requests.ts';

/** The longest texts a request may carry, UTF-16 units. */
const MAX = { id: 100, key: 255, text: 250, keys: 100 } as const;

function require(holds: boolean, field: string): void {
  if (!holds) throw new InvalidRequestError(field);
}

function optional(value: unknown, holds: (value: unknown) => boolean): boolean {
  return value === undefined || holds(value);
}

/** Checks a refund request before anything is started. @throws InvalidRequestError naming the field */
export function checkRefund(refund: NewRefund): void {
  require(optional(refund.provider, (value) => isStorableText(value, MAX.id)), 'provider');
  require(isStorableText(refund.orderId, MAX.id), 'orderId');
  require(optional(refund.chargeId, (value) => isStorableText(value, MAX.id)), 'chargeId');
  require(optional(refund.amountMinor, isMovableAmount), 'amountMinor');
  require(optional(refund.reason, (value) => isStorableText(value, MAX.text)), 'reason');
  checkDetails(refund);
  require(optional(refund.requireReview, isBoolean), 'requireReview');
  require(optional(refund.requirePayerConfirmation, isBoolean), 'requirePayerConfirmation');
  require(optional(refund.executeAt, isWithinAYear), 'executeAt');
  require(optional(refund.cancellationWindowSeconds, (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_CANCELLATION_WINDOW_SECONDS), 'cancellationWindowSeconds');
  checkAsking(refund);
}

function checkDetails({ refundType, externalReference, metadata, onBehalfOf, requestedAs }: NewRefund): void {
  require(optional(refundType, (value) => REFUND_TYPES.some((type) => type === value)), 'refundType');
  require(optional(externalReference, (value) => isStorableText(value, MAX.text)), 'externalReference');
  require(optional(metadata, isMetadata), 'metadata');
  require(onBehalfOf === undefined || (BENEFICIARIES.includes(onBehalfOf.type) && isStorableText(onBehalfOf.id, MAX.id)), 'onBehalfOf');
  require(optional(requestedAs, (value) => REQUESTERS.some((requester) => requester === value)), 'requestedAs');
}

function isMetadata(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length <= MAX.keys && isStorableJson(value);
}

const YEAR_MS = 366 * 24 * 3_600_000;

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

/** A time in the past is as good as none: the refund is due. */
function isWithinAYear(value: unknown): boolean {
  return value instanceof Date && Number.isSafeInteger(value.getTime()) && value.getTime() <= Date.now() + YEAR_MS;
}

/** Checks a payout order before anything is started. @throws InvalidRequestError naming the field */
export function checkPayoutOrder(order: NewPayoutOrder): void {
  require(isMovableAmount(order.amountMinor), 'amountMinor');
  require(isCurrencyCode(order.currency), 'currency');
  require(order.allowedPayoutMethods.length > 0 && order.allowedPayoutMethods.every((method) => isStorableText(method, MAX.text)), 'allowedPayoutMethods');
  require(isStorableText(order.payoutMethodType, MAX.text), 'payoutMethodType');
  require(isStorableText(order.customerId, MAX.key), 'customerId');
  require(isStorableText(order.reason, MAX.text), 'reason');
  require(Number.isSafeInteger(order.expiresAt.getTime()), 'expiresAt');
  require(isStorableJson(order.metadata ?? {}), 'metadata');
  checkAsking(order);
}

function checkAsking(request: { readonly idempotencyKey: string; readonly requestedBy: string }): void {
  require(isStorableText(request.idempotencyKey, MAX.key), 'idempotencyKey');
  require(isStorableText(request.requestedBy, MAX.text), 'requestedBy');
}
