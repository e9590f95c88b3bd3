/** What a provider may charge for a refund (seed 003, `fee_details[].type`). */
export const FEE_TYPES = ['fee', 'carrier_fee', 'media_payment_cost', 'carrier_cost', 'refund_cost', 'deferred_cost', 'discount'] as const;

/** Who pays a fee (seed 003, `fee_details[].fee_payer`): the merchant absorbs it, or the payer does. */
export const FEE_PAYERS = ['collector', 'payer'] as const;

/** The kinds of refunds a provider may know (seed 003, `type`): a debit of an account or card, an online card transaction, a transfer. */
export const REFUND_TYPES = ['manual', 'online', 'by_media_payment'] as const;

/** A kind of refund. */
export type RefundType = (typeof REFUND_TYPES)[number];

/** One fee of a refund, in the refund's currency: kept apart from its amount, never netted (R7). Minor units. */
export interface RefundFee {
  readonly type: (typeof FEE_TYPES)[number];
  readonly payer: (typeof FEE_PAYERS)[number];
  readonly description: string | null;
  readonly amountMinor: number;
}

/** What a provider tells of a refund beside its state: for people and their books. It decides nothing. */
export interface RefundReceipt {
  /** The provider's own word for where the refund stands; `null` where it says none. */
  readonly providerStatus: string | null;
  readonly type: RefundType | null;
  readonly transactionId: string | null;
  readonly authorizationCode: string | null;
  readonly ticketNumber: string | null;
  readonly fees: readonly RefundFee[];
}
