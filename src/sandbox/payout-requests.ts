import { z } from 'zod';
import { isCurrencyCode } from '../domain/money.ts';

/** Body of `POST /payout_orders` (CONTRACT §3). Amount in minor units, `expires_at` in unix seconds and in the future. */
export const payoutOrderRequestSchema = z.strictObject({
  allowed_payout_methods: z.array(z.enum(['cash', 'cashout'])).min(1),
  amount: z.int().min(1),
  currency: z.string().refine(isCurrencyCode).default('MXN'),
  customer_info: z.strictObject({
    customer_id: z.string().min(1),
    name: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
  }),
  payout: z.strictObject({ payout_method: z.strictObject({ type: z.enum(['cash', 'cashout']) }) }),
  reason: z.string().min(1).max(250),
  expires_at: z.int().max(99_999_999_999).refine((seconds) => seconds * 1000 > Date.now()),
  metadata: z.record(z.string(), z.unknown()).refine((metadata) => Object.keys(metadata).length <= 100).default({}),
});

/** Body of a withdrawal at the till (PRODUCT X5), which may be absent. `voidable`: the cash is not out yet, a cancel voids it (P4). */
export const withdrawalRequestSchema = z.strictObject({ voidable: z.boolean().default(false) });

/** A parsed `POST /payout_orders` body. */
export type PayoutOrderRequest = z.output<typeof payoutOrderRequestSchema>;
