import type { RefundType } from './refund-receipt.ts';

/** Who may press the button: the merchant's backend, an operator, the provider. */
export const REQUESTERS = ['merchant', 'operator', 'provider'] as const;

/** On whose behalf a merchant may ask: its payer, or a timer of its own. */
export const BENEFICIARIES = ['payer', 'timer'] as const;

/** Who asked for a refund, as a kind. */
export type Requester = (typeof REQUESTERS)[number];

/** On whose behalf a refund is asked for; the id is the caller's own and never personal data. */
export interface OnBehalfOf {
  readonly type: (typeof BENEFICIARIES)[number];
  readonly id: string;
}

/** What a caller says about a refund beside its money; it is kept and shown, and decides nothing here. */
export interface RefundDetails {
  /** The kind of refund asked of the provider; without it the provider chooses. */
  readonly refundType?: RefundType | undefined;
  /** The caller's own reference. */
  readonly externalReference?: string | undefined;
  /** The caller's own JSON object. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  readonly onBehalfOf?: OnBehalfOf | undefined;
  /** The merchant, unless it says otherwise. */
  readonly requestedAs?: Requester | undefined;
}
