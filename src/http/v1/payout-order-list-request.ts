import { z } from 'zod';
import { PAYOUT_ORDER_STATUSES } from '../../domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
import type { PayoutOrderListing } from '../../store/payout-orders/read.ts';
import { parseRequest } from '../parse-request.ts';

const listQuerySchema = z.strictObject({
  limit: z.string().regex(/^\d{1,3}$/).transform(Number).pipe(z.int().min(1).max(250)).default(20),
  cursor: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/).optional(),
  search: z.string().max(255).regex(/^\P{Cc}*$/u).optional(),
  status: z.string().transform((words) => words.split(',')).refine((words) => words.every(isStatus)).transform((words) => words.filter(isStatus)).optional(),
});

/** Parses the query of `GET /v1/payout_orders`: nothing unknown, nothing twice; `status` is one status or several with commas between. @throws ApiError 422 */
export function parsePayoutOrderListing(query: unknown): PayoutOrderListing {
  const { limit, cursor, search, status } = parseRequest(listQuerySchema, query);
  return { limit, next: cursor, search, status };
}

function isStatus(word: string): word is PayoutOrderStatus {
  return (PAYOUT_ORDER_STATUSES as readonly string[]).includes(word);
}
