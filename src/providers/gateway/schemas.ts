import { z } from 'zod';
import { JsonNumber, parseDecimal } from '../../domain/decimal.ts';
import { FEE_PAYERS, FEE_TYPES, REFUND_TYPES } from '../../domain/refund-receipt.ts';
import { STATUSES } from './statuses.ts';

/** Who asked for a refund (seed 003, `source.type`). */
const SOURCE_TYPES = ['collector', 'system', 'backoffice', 'customer', 'carrier'] as const;

const idSchema = z.string().min(1);
const textSchema = z.string().nullish();

/** A number as it was written, with at most two places: no binary fraction comes in between (M1). */
const decimalSchema = z.instanceof(JsonNumber).refine(({ source }) => parseDecimal(source) !== null, 'not a decimal of at most two places');
const amountSchema = decimalSchema.refine(({ source }) => parseDecimal(source) !== 0, 'nothing');

const currencySchema = z.string().regex(/^[A-Z]{3}$/);

/** A refund (seed 003): what we use of it, and all of its enumerations; other fields pass. */
export const messageSchema = z.looseObject({
  id: idSchema,
  status: z.enum(STATUSES),
  status_detail: textSchema,
  type: z.enum(REFUND_TYPES).nullish(),
  reference: idSchema,
  external_reference: textSchema,
  amount: amountSchema,
  transaction_id: textSchema,
  authorization_code: textSchema,
  ticket_number: textSchema,
  fee_details: z.array(z.looseObject({ type: z.enum(FEE_TYPES), fee_payer: z.enum(FEE_PAYERS), description: textSchema, amount: decimalSchema })).nullish(),
  source: z.looseObject({ type: z.enum(SOURCE_TYPES) }).nullish(),
});

/** A payment with all its refunds; other fields pass. That its list is whole is for `readPayment` to say. */
export const paymentSchema = z.looseObject({
  id: idSchema,
  object: z.literal('payment'),
  status: z.enum(STATUSES),
  amount: amountSchema,
  currency_id: currencySchema.nullish(),
  refunds: z.array(messageSchema),
});

/** An error as the gateway words it. The code's alphabet keeps values out of our records. */
export const gatewayErrorSchema = z.looseObject({
  object: z.literal('error'),
  type: z.string().min(1),
  details: z.tuple([z.looseObject({ code: z.string().max(200).regex(/^gateway\.errors\.[A-Za-z0-9_.]+$/) })], z.unknown()),
});

/** A refund as the gateway tells it. */
export type GatewayMessageDto = z.input<typeof messageSchema>;
/** A payment as the gateway tells it. */
export type GatewayPaymentDto = z.input<typeof paymentSchema>;
