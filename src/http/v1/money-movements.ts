import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { callerOf, READING } from '../access.ts';
import { parseRequest } from '../parse-request.ts';
import type { Records } from '../records.ts';

const id = z.string().min(1).max(64);

/** One of the two: what moved on a charge, or for a payout order. */
const querySchema = z.strictObject({ charge_id: id.optional(), payout_order_id: id.optional() })
  .refine((query) => (query.charge_id === undefined) !== (query.payout_order_id === undefined), { path: ['charge_id'] });

/**
 * Registers `GET /v1/money_movements?charge_id=|payout_order_id=`: our books on one charge or payout order, oldest first
 * (M7), to be laid beside the provider's. Amounts are positive minor units, times ISO-8601.
 */
export function registerMoneyMovements(app: FastifyInstance, records: Records): void {
  app.get('/v1/money_movements', { config: { access: READING } }, async (request) => {
    const query = parseRequest(querySchema, request.query);
    const of = query.charge_id === undefined ? { payoutOrderId: query.payout_order_id ?? '' } : { chargeId: query.charge_id };
    const movements = await records.listMovements(callerOf(request).merchantId, of);
    return {
      data: movements.map((movement) => ({
        id: movement.movementId, kind: movement.kind, charge_id: movement.chargeId, payout_order_id: movement.payoutOrderId,
        amount: movement.amountMinor, currency: movement.currency, provider_id: movement.providerId, at: movement.at.toISOString(),
      })),
    };
  });
}
