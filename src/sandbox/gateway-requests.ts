import { z } from 'zod';
import { isCurrencyCode } from '../domain/money.ts';
import { JsonNumber, parseDecimal } from '../domain/decimal.ts';
import { writeExactJson } from './exact-json.ts';
import { GATEWAY_STATUSES } from './gateway-status.ts';

/** A number as it was written, in minor units: at least one centavo, at most two places. */
const amount = z.instanceof(JsonNumber).transform((number, context) => {
  const amountMinor = parseDecimal(number.source);
  if (amountMinor !== null && amountMinor > 0) return amountMinor;
  context.addIssue({ code: 'custom', message: 'not an amount' });
  return z.NEVER;
});

const type = z.enum(['manual', 'online', 'by_media_payment']);
const text = z.string().max(249).nullish().transform((value) => value ?? null);
/** Kept as text: its numbers are not to change either. */
const metadata = z.record(z.string(), z.unknown()).default({}).transform(writeExactJson);

const feeDetail = z.strictObject({
  type: z.enum(['fee', 'carrier_fee', 'media_payment_cost', 'carrier_cost', 'refund_cost', 'deferred_cost', 'discount']),
  fee_payer: z.enum(['collector', 'payer']),
  description: text,
  amount,
});

/** One fee of a refund; amount in minor units. */
export type FeeDetail = z.output<typeof feeDetail>;

/** Body of `POST /pagos`, which is the sandbox's own: what a payer paid. Parsed by `parseExactJson` before. */
export const paymentRequestSchema = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,64}$/).optional(),
  amount,
  currency_id: z.string().refine(isCurrencyCode).optional(),
  type: type.default('online'),
  status: z.enum(GATEWAY_STATUSES).default('approved'),
  external_reference: text,
  metadata,
  /** What each refund of it costs. */
  refund_fees: z.array(feeDetail).min(1).default([{ type: 'refund_cost', fee_payer: 'collector', description: 'Costo por reembolso', amount: 150 }]),
});

/** A parsed `POST /pagos` body. Amounts in minor units. */
export type PaymentRequest = z.output<typeof paymentRequestSchema>;

/** Body of `POST /pagos/devolucion/{id}` (seed 003): everything optional, nothing unknown. Parsed by `parseExactJson` before. */
export const devolucionRequestSchema = z.strictObject({
  amount: amount.optional(),
  type: type.optional(),
  reason: text,
  external_reference: text,
  metadata,
});

/** A parsed refund body. Amount in minor units. */
export type DevolucionRequest = z.output<typeof devolucionRequestSchema>;

/** Query of `GET /pagos/devolucion/{id}`. */
export const devolucionQuerySchema = z.strictObject({ external_reference: z.string().optional(), refund_id: z.string().optional() });

/** A parsed query for a refund. */
export type DevolucionQuery = z.output<typeof devolucionQuerySchema>;

/** Body of `POST /sandbox/refunds/{id}/status`. */
export const statusRequestSchema = z.strictObject({ status: z.enum(GATEWAY_STATUSES) });
