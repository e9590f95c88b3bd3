import { z } from 'zod';
import { PAYOUT_ORDER_STATUSES } from '../../domain/payout-order.ts';
import { CHARGE_STATUSES, CHARGEBACK_STATUSES, REFUND_STATUSES, isCounting } from './statuses.ts';

const idSchema = z.string().min(1);
const currencySchema = z.string().regex(/^[A-Z]{3}$/);

/** A nested list that must be whole: a page of charges or refunds taken for all of them would pay twice. */
function wholeListSchema<T extends z.ZodType<{ readonly id: string }>>(item: T) {
  return z
    .looseObject({
      has_more: z.boolean().refine((hasMore) => !hasMore, 'more than one page'),
      total: z.int().nonnegative().nullish(),
      data: z.array(item).refine((data) => new Set(data.map(({ id }) => id)).size === data.length, 'the same id twice'),
    })
    .refine((list) => (list.total ?? 0) <= list.data.length, 'the list is not complete')
    .nullish();
}

/** A refund as Conekta lists it on a charge: amount in negative centavos (CONTRACT §5). */
const refundSchema = z.looseObject({
  id: idSchema,
  amount: z.int().negative(),
  status: z.enum(REFUND_STATUSES).nullish(),
});

const chargeSchema = z
  .looseObject({
    id: idSchema,
    amount: z.int().nonnegative(),
    currency: currencySchema,
    status: z.enum(CHARGE_STATUSES),
    order_id: z.string().nullish(),
    refunds: wholeListSchema(refundSchema),
    chargeback: z.looseObject({ status: z.enum(CHARGEBACK_STATUSES) }).nullish(),
  })
  .refine((charge) => !charge.status.endsWith('refunded') || refundedMinor(charge) > 0, 'refunded, but lists no refund');

/** Σ of the refunds a charge lists and that count, in positive minor units. */
function refundedMinor(charge: { readonly refunds?: { readonly data: readonly z.output<typeof refundSchema>[] } | null | undefined }): number {
  return (charge.refunds?.data ?? []).filter(isCounting).reduce((sum, refund) => sum - refund.amount, 0);
}

/** An order with its charges: what we use of it (CONTRACT §4); other fields pass. */
export const orderSchema = z
  .looseObject({
    id: idSchema,
    object: z.literal('order'),
    currency: currencySchema,
    amount_refunded: z.int().nonnegative().nullish(),
    charges: wholeListSchema(chargeSchema),
  })
  .refine((order) => (order.charges?.data ?? []).every((charge) => (charge.order_id ?? order.id) === order.id), 'a charge of another order')
  .refine(
    (order) => (order.amount_refunded ?? 0) <= (order.charges?.data ?? []).reduce((sum, charge) => sum + refundedMinor(charge), 0),
    // A refund missing from the list would look like one never made, and would be sent again.
    'more was refunded than is listed',
  );

/** A payout order: what we use of it (CONTRACT §3); other fields pass. */
export const payoutOrderSchema = z.looseObject({
  id: idSchema,
  object: z.literal('payout_order'),
  amount: z.int().positive(),
  currency: currencySchema,
  status: z.enum(PAYOUT_ORDER_STATUSES),
  metadata: z.looseObject({ reintegro_id: idSchema.nullish() }).nullish(),
  payouts: z.array(z.looseObject({ id: idSchema })).nullish(),
});

/** A page of payout orders: enough of each to tell whether it is ours. The seed's carry no `created_at` (CONTRACT §8, 8), so it may be anything. */
export const payoutOrderPageSchema = z.looseObject({
  has_more: z.boolean(),
  data: z.array(payoutOrderSchema.pick({ id: true, metadata: true }).extend({ created_at: z.unknown().optional() })),
});

/** An error as Conekta words it (CONTRACT §6). The code's alphabet keeps values out of our records. */
export const conektaErrorSchema = z.looseObject({
  object: z.literal('error'),
  type: z.string().min(1),
  details: z.tuple([z.looseObject({ code: z.string().max(200).regex(/^conekta\.errors\.[A-Za-z0-9_.]+$/) })], z.unknown()),
});

/** A refund as Conekta lists it. */
export type ConektaRefundDto = z.input<typeof refundSchema>;
/** A charge as Conekta sends it. */
export type ConektaChargeDto = z.input<typeof chargeSchema>;
/** An order as Conekta sends it. */
export type ConektaOrderDto = z.input<typeof orderSchema>;
/** A payout order as Conekta sends it. */
export type ConektaPayoutOrderDto = z.input<typeof payoutOrderSchema>;
