import { z } from 'zod';
import { JsonNumber, parseDecimal } from '../../domain/decimal.ts';
import { isMovableAmount } from '../../domain/money.ts';
import { REFUND_TYPES } from '../../domain/refund-receipt.ts';

/** Fields of the body that are decimals: their text is kept (M1). */
export const DECIMAL_FIELDS: readonly string[] = ['amount'];

const MAX_METADATA_KEYS = 100;

const amountSchema = z.instanceof(JsonNumber).transform((number, context) => {
  const amountMinor = parseDecimal(number.source);
  if (isMovableAmount(amountMinor)) return amountMinor;
  context.addIssue({ code: 'custom', message: 'not an amount of at most two places' });
  return z.NEVER;
});

/** On whose behalf the merchant asks: its payer, or a timer of its own. The other sources are known by the key. */
const sourceSchema = z.strictObject({ type: z.enum(['customer', 'system']), id: z.string().regex(/^[\x21-\x7e]{1,100}$/) });

/** Body of `POST …/pagos/devolucion/:id`: everything optional, nothing unknown. `amount` comes out in minor units; omitted it is what remains. */
export const devolucionRequestSchema = z.strictObject({
  amount: amountSchema.optional(),
  type: z.enum(REFUND_TYPES).optional(),
  reason: z.string().min(1).max(250).optional(),
  external_reference: z.string().min(1).max(250).optional(),
  metadata: z.record(z.string(), z.unknown()).refine((object) => Object.keys(object).length <= MAX_METADATA_KEYS).optional(),
  source: sourceSchema.optional(),
});

/** The query of `GET` and `DELETE`; nothing unknown, which would be taken for asked. */
export const devolucionQuerySchema = z.strictObject({ refund_id: z.string().optional(), external_reference: z.string().min(1).max(250).optional() });

/** `POST` has no query: an amount there would be a total refund. */
export const noQuerySchema = z.strictObject({});
