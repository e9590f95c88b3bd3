import { z } from 'zod';
import { isCurrencyCode } from '../../domain/money.ts';
import { ApiError } from '../errors.ts';

const payoutMethod = z.enum(['cash', 'cashout']);

/** Body of `POST /payout_orders` (CONTRACT §3): every field but `metadata` required, nothing unknown. Amount in minor units, unix seconds. */
export const payoutOrderRequestSchema = z.strictObject({
  allowed_payout_methods: z.array(payoutMethod).min(1).max(10),
  amount: z.int().min(1),
  currency: z.string().refine(isCurrencyCode),
  customer_info: z.strictObject({ customer_id: z.string().min(1).max(255) }),
  payout: z.strictObject({ payout_method: z.strictObject({ type: payoutMethod }) }),
  reason: z.string().min(1).max(250),
  expires_at: z.int().min(1).max(99_999_999_999),
  metadata: z.record(z.string(), z.unknown()).refine((metadata) => Object.keys(metadata).length <= 100).optional(),
});

/** A parsed body of `POST /payout_orders`. */
export type PayoutOrderRequest = z.output<typeof payoutOrderRequestSchema>;

/** Checks that a new reference can still be collected; not asked of a repeated request, which may come later. @throws ApiError 422 */
export function requireFuture(request: PayoutOrderRequest, nowMs: number): void {
  if (request.expires_at * 1000 <= nowMs) throw new ApiError({ code: 'param_invalid', param: 'expires_at' });
}
