import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import { expect, vi } from 'vitest';
import { z } from 'zod';

/** How long a condition may take: longer than a lost worker's call has to be waited out, milliseconds. */
export const PATIENCE = { timeout: 50_000, interval: 100 };

/** Connections are not kept: one left over from a killed process would fail a later call. */
const agent = new Agent({ pipelining: 0 });

const orderSchema = z.object({
  id: z.string(), amount: z.int(), amount_refunded: z.int(), payment_status: z.string(),
  charges: z.object({ data: z.array(z.object({ id: z.string() })) }),
});
const payoutOrderSchema = z.object({ id: z.string(), status: z.string(), amount: z.int() });
const rowsSchema = z.object({ data: z.array(z.object({ kind: z.string(), amount: z.int(), currency: z.string() })) });

/** One movement of money, whoever wrote it down. Minor units. */
export type Movement = z.infer<typeof rowsSchema>['data'][number];

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: unknown;
}

/** One JSON call. @throws when the connection is refused or lost */
export async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, options: { readonly key?: string; readonly idempotencyKey?: string; readonly body?: object } = {}): Promise<Answer> {
  const { key, idempotencyKey, body } = options;
  const response = await request(url, {
    method, dispatcher: agent, body: body === undefined ? null : JSON.stringify(body),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
  });
  const text = await response.body.text();
  const header = (name: string): string | undefined => [response.headers[name]].flat()[0];
  return { status: response.statusCode, header, body: text === '' ? null : JSON.parse(text) as unknown };
}

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

/** What becomes of a call whose server is killed. */
export async function orLost(calling: Promise<Answer>): Promise<Answer | 'connection lost'> {
  return calling.catch(() => 'connection lost' as const);
}

function orderOf(amountsMinor: readonly number[]): object {
  const totalMinor = amountsMinor.reduce((sum, amountMinor) => sum + amountMinor, 0);
  return {
    currency: 'MXN', customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
    line_items: [{ name: 'Box of pencils', unit_price: totalMinor, quantity: 1 }],
    charges: amountsMinor.map((amount) => ({ amount, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } })),
  };
}

/** The same for the same amount, so that a repeated request is the same request. */
function payoutOrderOf(amountMinor: number): object {
  return {
    allowed_payout_methods: ['cash'], amount: amountMinor, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' },
    payout: { payout_method: { type: 'cash' } }, reason: 'Referencia de devolución', expires_at: 4_000_000_000,
  };
}
