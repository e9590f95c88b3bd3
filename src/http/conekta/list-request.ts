import { z } from 'zod';
import type { PayoutOrderListing } from '../../store/payout-orders/read.ts';
import { parseRequest } from '../parse-request.ts';

const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/).optional();

const listQuerySchema = z.object({
  limit: z.string().regex(/^\d{1,3}$/).transform(Number).pipe(z.int().min(1).max(250)).default(20),
  next: cursor,
  previous: cursor,
  search: z.string().max(255).regex(/^\P{Cc}*$/u).optional(),
});

/** Parses the query of a list (CONTRACT, Lists); of `next` and `previous` the first counts. @throws ApiError 422 */
export function parseListing(query: unknown): PayoutOrderListing {
  return parseRequest(listQuerySchema, query);
}
