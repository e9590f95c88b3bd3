import type { FastifyRequest } from 'fastify';
import { callerOf } from '../access.ts';
import { RecordsUnavailableError } from '../records.ts';
import { ApiError } from '../errors.ts';
import type { ConektaContext } from './conekta-context.ts';
import { PROVIDER } from './provider-name.ts';
import { readLiveOrder } from './order-routes.ts';
import { renderOrder } from './render-order.ts';

/** The order beside a refund's answer, and whether it is more than its name. */
export interface ShownOrder {
  readonly order: object;
  readonly isWhole: boolean;
}

/**
 * The order as it now is: from the records, else from the provider, else its bare name. Never throws for a server out of reach: once
 * a refund is taken in, its caller must not read that it failed.
 */
export async function showOrder(context: ConektaContext, request: FastifyRequest, orderId: string): Promise<ShownOrder> {
  try {
    const record = await context.records.readOrder(callerOf(request).merchantId, PROVIDER, orderId);
    const order = record === null ? await readLiveOrder(context, request, orderId) : renderOrder(record);
    if (order !== null) return { order, isWhole: true };
  } catch (error) {
    if (!(error instanceof RecordsUnavailableError || error instanceof ApiError || error instanceof SyntaxError)) throw error;
    request.log.warn({ errorName: error.name }, 'the order of a refund could not be read');
  }
  return { order: { object: 'order', id: orderId }, isWhole: false };
}
