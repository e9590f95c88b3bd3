import { z } from 'zod';
import { isCurrencyCode } from '../domain/money.ts';

const positiveAmount = z.int().min(1);
const currency = z.string().refine(isCurrencyCode);
const scalar = z.union([z.string().max(249), z.number(), z.boolean()]);
const metadata = z.record(z.string(), scalar).refine((value) => Object.keys(value).length <= 100);

const lineItem = z.strictObject({
  name: z.string().min(3).max(249),
  unit_price: z.int().min(0),
  quantity: z.int().min(1),
  description: z.string().max(249).nullish(),
  sku: z.string().max(249).nullish(),
  tags: z.array(z.string()).nullish(),
  brand: z.string().max(249).nullish(),
  type: z.string().max(249).nullish(),
  metadata: metadata.optional(),
  antifraud_info: z.record(z.string(), z.unknown()).optional(),
});

const cardMethod = z.strictObject({
  type: z.literal('card'),
  token_id: z.string().regex(/^tok_[0-9A-Za-z_]+$/).optional(),
  number: z.string().regex(/^\d{13,19}$/).optional(),
  cvc: z.string().regex(/^\d{3,4}$/).optional(),
  exp_month: z.string().regex(/^(0[1-9]|1[0-2])$/).optional(),
  exp_year: z.string().regex(/^(\d{2}|\d{4})$/).optional(),
  name: z.string().min(1).max(249).optional(),
  monthly_installments: z.null().optional(),
  customer_ip_address: z.string().optional(),
}).superRefine((method, context) => {
  if (method.token_id !== undefined) return;
  for (const field of ['number', 'cvc', 'exp_month', 'exp_year', 'name'] as const) {
    if (method[field] === undefined) context.addIssue({ code: 'custom', path: [field], message: 'missing' });
  }
});

const cashMethod = z.strictObject({ type: z.literal('cash'), expires_at: z.int().min(1).optional() });

const customerInfo = z.strictObject({
  customer_id: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  email: z.string().min(1).optional(),
  phone: z.string().min(1).optional(),
  corporate: z.boolean().optional(),
}).superRefine((customer, context) => {
  if (customer.customer_id !== undefined) return;
  for (const field of ['name', 'email', 'phone'] as const) {
    if (customer[field] === undefined) context.addIssue({ code: 'custom', path: [field], message: 'missing' });
  }
});

/** Body of `POST /orders` (CONTRACT §4): lines, one or several charges that add up, or none. Fields that would change the amount are refused. */
export const orderRequestSchema = z.strictObject({
  currency,
  customer_info: customerInfo,
  line_items: z.array(lineItem).min(1),
  charges: z.array(z.strictObject({
    amount: positiveAmount.optional(),
    payment_method: z.discriminatedUnion('type', [cardMethod, cashMethod]),
    reference_id: z.string().max(249).optional(),
  })).optional(),
  metadata: metadata.optional(),
  pre_authorize: z.literal(false).optional(),
  processing_mode: z.string().optional(),
  return_url: z.string().optional(),
  three_ds_mode: z.string().optional(),
  needs_shipping_contact: z.boolean().optional(),
});

/** A parsed `POST /orders` body. Amounts in minor units. */
export type OrderRequest = z.output<typeof orderRequestSchema>;

/** How one charge is to be paid. */
export type PaymentMethodRequest = NonNullable<OrderRequest['charges']>[number]['payment_method'];

/** Body of `POST /orders/{id}/refunds` (CONTRACT §5): everything optional, nothing unknown. */
export const refundRequestSchema = z.strictObject({
  reason: z.enum(['requested_by_client', 'cannot_be_fulfilled', 'duplicated_transaction', 'suspected_fraud', 'other']).optional(),
  charge_id: z.string().min(1).optional(),
  amount: positiveAmount.optional(),
  expires_at: z.int().optional(),
});

/** A parsed refund body. Amount in minor units. */
export type RefundRequest = z.output<typeof refundRequestSchema>;
