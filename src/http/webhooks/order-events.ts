import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { isFailedRefund } from '../conekta/refund-words.ts';
import type { ShownRefunds } from './tell-refunds.ts';

const id = z.string().min(1).max(255).regex(/^[\x21-\x7e]+$/);
const listOf = <T extends z.ZodType>(item: T) => z.looseObject({ has_more: z.unknown().optional(), data: z.array(item) });
const chargeSchema = z.looseObject({ id, refunds: listOf(z.looseObject({ id, status: z.unknown().optional() })).nullish() });
const orderSchema = z.looseObject({ object: z.literal('order'), id });
const chargesSchema = z.looseObject({ charges: listOf(z.unknown()) });
const chargeOfOrderSchema = z.looseObject({ object: z.literal('charge'), order_id: id });
const aboutSchema = z.looseObject({ data: z.looseObject({ object: z.looseObject({ object: z.enum(['order', 'charge']) }) }) });
const orderEventSchema = z.looseObject({ created_at: z.unknown().optional(), data: z.looseObject({ object: z.union([orderSchema, chargeOfOrderSchema]) }) });

/**
 * Reads an event; `null` when it is about something else than an order or a charge (a chargeback, for instance). What it shows of the
 * charges may be unreadable: then it shows nothing.
 * @throws ApiError 400 when it names no order
 */
export function readOrderEvent(body: unknown): ShownRefunds | null {
  if (!aboutSchema.safeParse(body).success) return null;
  const parsed = orderEventSchema.safeParse(body);
  if (!parsed.success) throw new ApiError({ code: 'malformed_request' });
  const { created_at: createdAt, data: { object } } = parsed.data;
  return {
    orderId: object.object === 'order' ? object.id : object.order_id,
    madeAtMs: typeof createdAt === 'number' ? createdAt * 1000 : Date.now(),
    charges: new Map(chargesOf(object).map(({ id: chargeId, refunds }) => [chargeId, {
      isWhole: refunds?.has_more !== true, failed: new Map((refunds?.data ?? []).map((refund) => [refund.id, isFailedRefund(refund.status)])),
    }])),
  };
}

function chargesOf(object: z.output<typeof orderSchema> | z.output<typeof chargeOfOrderSchema>): readonly z.output<typeof chargeSchema>[] {
  const shown = object.object === 'order' ? chargesSchema.safeParse(object).data?.charges.data ?? [] : [object];
  return shown.map((charge) => chargeSchema.safeParse(charge).data).filter((charge) => charge !== undefined);
}
