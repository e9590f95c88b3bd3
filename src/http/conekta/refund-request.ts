import { z } from 'zod';

/** Why a refund is asked for (seed 002). */
export const REFUND_REASONS = ['requested_by_client', 'cannot_be_fulfilled', 'duplicated_transaction', 'suspected_fraud', 'other'] as const;

/** Body of `POST /orders/{id}/refunds` (CONTRACT §5): everything optional, nothing unknown. `expires_at` is OpenAPI's: tolerated, unused. */
export const refundRequestSchema = z.strictObject({
  reason: z.enum(REFUND_REASONS).optional(),
  charge_id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/).optional(),
  amount: z.int().min(1).optional(),
  expires_at: z.int().min(0).optional(),
});
