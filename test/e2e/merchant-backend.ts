import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import { orderOf } from '../support/refund-faces.ts';
import type { RefundAnswer } from '../support/refund-faces.ts';

/** How long a condition may take: longer than a lost worker's call has to be waited out, milliseconds. */
export const PATIENCE = { timeout: 50_000, interval: 100 };

const orderSchema = z.object({
  id: z.string(), amount: z.int(), amount_refunded: z.int(), payment_status: z.string(),
  charges: z.object({ data: z.array(z.object({ id: z.string() })) }),
});
const payoutOrderSchema = z.object({ id: z.string(), status: z.string(), amount: z.int() });
const rowsSchema = z.object({ data: z.array(z.object({ kind: z.string(), amount: z.int(), currency: z.string() })) });

/** One movement of money, whoever wrote it down. Minor units. */
export type Movement = z.infer<typeof rowsSchema>['data'][number];

/** A paid order with one card charge. */
export interface PaidOrder {
  readonly orderId: string;
  readonly chargeId: string;
}

/** A merchant's backend that speaks to one API process. */
export type MerchantBackend = ReturnType<typeof merchantBackend>;

/** Makes a merchant's backend with the demo key, or another one. */
export function merchantBackend(apiUrl: string, key = 'key_demo') {
  return {
    isReady: async (): Promise<boolean> => (await call('GET', `${apiUrl}/health/ready`)).status === 200,
    askForOrder: (amountMinor: number): Promise<Answer> => call('POST', `${apiUrl}/orders`, { key, body: orderOf([amountMinor]) }),
    async createOrder(amountMinor: number): Promise<PaidOrder> {
      const order = readOrder(await call('POST', `${apiUrl}/orders`, { key, body: orderOf([amountMinor]) }));
      return { orderId: order.id, chargeId: order.charges.data[0]?.id ?? '' };
    },
    /** A paid order with one card charge for each amount, in that order. */
    async createSplitOrder(amountsMinor: readonly number[]): Promise<{ readonly orderId: string; readonly chargeIds: readonly string[] }> {
      const order = readOrder(await call('POST', `${apiUrl}/orders`, { key, body: orderOf(amountsMinor) }));
      return { orderId: order.id, chargeIds: order.charges.data.map(({ id }) => id) };
    },
    /** Asks for a refund of what is named in the body; of all of it for an empty one. */
    refund: (orderId: string, body: object, idempotencyKey: string = randomUUID()): Promise<Answer> =>
      call('POST', `${apiUrl}/orders/${orderId}/refunds`, { key, idempotencyKey, body: { reason: 'requested_by_client', ...body } }),
    cancelRefund: (orderId: string, refundId: string): Promise<Answer> => call('DELETE', `${apiUrl}/orders/${orderId}/refunds/${refundId}`, { key }),
    askForPayoutOrder: (amountMinor: number, idempotencyKey: string = randomUUID()): Promise<Answer> =>
      call('POST', `${apiUrl}/payout_orders`, { key, idempotencyKey, body: payoutOrderOf(amountMinor) }),
    async payoutOrder(id: string): Promise<z.infer<typeof payoutOrderSchema>> {
      return readPayoutOrder(await call('GET', `${apiUrl}/payout_orders/${id}`, { key }));
    },
    cancelPayoutOrder: (id: string): Promise<Answer> => call('PUT', `${apiUrl}/payout_orders/${id}/cancel`, { key }),
    /** Our books on a charge or a payout order. */
    books: async (of: { readonly chargeId: string } | { readonly payoutOrderId: string }): Promise<readonly Movement[]> =>
      readRows(await call('GET', `${apiUrl}/v1/money_movements?${'chargeId' in of ? `charge_id=${of.chargeId}` : `payout_order_id=${of.payoutOrderId}`}`, { key })),
  };
}

/** The order in an answer of 200. */
export function readOrder(answer: Answer): z.infer<typeof orderSchema> {
  expect(answer).toMatchObject({ status: 200 });
  return orderSchema.parse(answer.body);
}

/** The payout order in an answer of 200. */
export function readPayoutOrder(answer: Answer): z.infer<typeof payoutOrderSchema> {
  expect(answer).toMatchObject({ status: 200 });
  return payoutOrderSchema.parse(answer.body);
}

/** The movements in an answer of 200. */
export function readRows(answer: Answer): readonly Movement[] {
  expect(answer).toMatchObject({ status: 200 });
  return rowsSchema.parse(answer.body).data;
}

/** Repeats a request with its key, as a caller should, until its answer is final. */
export async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
  return vi.waitFor(async () => {
    const answer = await ask();
    expect([202, 503]).not.toContain(answer.status);
    return answer;
  }, PATIENCE);
}

/** Repeats a refund with its key, as a caller should, until it is done or refused. */
export async function untilTold(ask: () => Promise<RefundAnswer>): Promise<RefundAnswer> {
  return vi.waitFor(async () => {
    const answer = await ask();
    expect(['done', 'refused'], answer.text).toContain(answer.meaning);
    return answer;
  }, PATIENCE);
}

/** What becomes of a call whose server is killed. */
export async function orLost<T>(calling: Promise<T>): Promise<T | 'connection lost'> {
  return calling.catch(() => 'connection lost' as const);
}

/** The same for the same amount, so that a repeated request is the same request. */
function payoutOrderOf(amountMinor: number): object {
  return {
    allowed_payout_methods: ['cash'], amount: amountMinor, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' },
    payout: { payout_method: { type: 'cash' } }, reason: 'Referencia de devolución', expires_at: 4_000_000_000,
  };
}
