/**
 * What a failed provider call means for the money (PRODUCT S4):
 * - `declined`: the provider read the request and definitively refused it; nothing moved.
 * - `not_sent`: the provider did not take the request (429, refused connection, DNS, bad credentials); nothing moved, may be sent again.
 * - `unknown`: it may have been executed (timeout, reset, 5xx, unreadable or unexpected answer).
 * - `not_found`: the provider says the object does not exist.
 */
export const PROVIDER_ERROR_KINDS = ['declined', 'not_sent', 'unknown', 'not_found'] as const;

/** A kind of provider failure. */
export type ProviderErrorKind = (typeof PROVIDER_ERROR_KINDS)[number];

/** Facts about a failure that are safe to store and show: never a body, a header or a URL. */
export interface ProviderErrorDetails {
  /** HTTP status, when there was an answer. */
  readonly httpStatus?: number;
  /** The provider's own error code, when its answer was readable. */
  readonly providerCode?: string;
  /** The refusal says that the charge has nothing (or too little) left: evidence of a refund, which may be ours, and no verdict on a repeated send. */
  readonly saysNothingLeft?: boolean;
  /** What the provider asked us to wait, in milliseconds, already capped. */
  readonly retryAfterMs?: number;
}

/** Thrown by adapters, and only this: it knows the provider and nothing of Temporal. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: ProviderErrorKind;
  readonly details: ProviderErrorDetails;

  constructor(kind: ProviderErrorKind, message: string, details: ProviderErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.details = details;
  }
}
