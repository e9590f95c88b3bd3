import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';

/** Longer than a lost answer takes to be looked up on a machine that is busy. */
const PATIENCE_MS = 180_000;
const RETRY_MS = 500;
const THIRTY_DAYS_S = 30 * 24 * 3600;

/** What is paid for an order, and what a payout order pays out, minor units. */
export const AMOUNT_MINOR = 10_000;

const idSchema = z.object({ id: z.string(), status: z.string().optional() });

/** The object that was asked for, and the refund that it was asked for with. */
interface Answered {
  readonly id: string;
  readonly refundId: string | null;
}

/** A merchant's backend that speaks to one API over HTTP. */
export interface MerchantBackend {
  /** Pays an order with one card charge and answers its id. */
  createOrder(): Promise<string>;
  /** Refunds an order, synchronously, and answers the refund's id. Amount in minor units. */
  refund(orderId: string, amountMinor: number): Promise<string>;
  /** Creates a payout order that expires in 30 days and answers its id once it is `pending`. */
  createPayoutOrder(): Promise<string>;
  /** Cancels a payout order and waits for the verdict. */
  cancelPayoutOrder(id: string): Promise<void>;
  /** How many requests had to be repeated, because their answer said that the outcome takes longer. */
  repeated(): number;
  close(): Promise<void>;
}

/** Makes a merchant's backend with the demo key. Every method throws when the answer is not the expected one. */
export function openMerchantBackend(apiUrl: string): MerchantBackend {
  const agent = new Agent();
  let repeated = 0;
  const call = async (method: 'POST' | 'PUT', path: string, body: object | null, status: string | null): Promise<Answered> => {
    const headers = { 'authorization': 'Bearer key_demo', 'idempotency-key': randomUUID(), ...(body === null ? {} : { 'content-type': 'application/json' }) };
    for (const begun = performance.now(); ; repeated += 1) {
      const response = await request(`${apiUrl}${path}`, { method, headers, dispatcher: agent, body: body === null ? null : JSON.stringify(body) });
      const text = await response.body.text();
      if (response.statusCode === 200) {
        const answer = idSchema.parse(JSON.parse(text));
        if (status !== null && answer.status !== status) throw new Error(`${method} ${path} answers ${answer.status ?? 'no status'}, not ${status}`);
        return { id: answer.id, refundId: z.string().safeParse(response.headers['reintegro-refund-id']).data ?? null };
      }
      const takesLonger = response.statusCode === 202 || response.statusCode === 503;
      if (!takesLonger || performance.now() - begun > PATIENCE_MS) throw new Error(`${method} ${path} answers ${response.statusCode}: ${text}`);
      await pause(RETRY_MS);
    }
  };
  return {
    createOrder: async () => (await call('POST', '/orders', orderBody(), null)).id,
    async refund(orderId, amount) {
      const { refundId } = await call('POST', `/orders/${orderId}/refunds`, { reason: 'requested_by_client', amount }, null);
      if (refundId === null) throw new Error(`a refund of ${orderId} has no id`);
      return refundId;
    },
    createPayoutOrder: async () => (await call('POST', '/payout_orders', payoutOrderBody(), 'pending')).id,
    cancelPayoutOrder: async (id) => void (await call('PUT', `/payout_orders/${id}/cancel`, null, 'cancelled')),
    repeated: () => repeated,
    close: () => agent.close(),
  };
}

function orderBody(): object {
  return {
    currency: 'MXN', customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
    line_items: [{ name: 'Box of pencils', unit_price: AMOUNT_MINOR, quantity: 1 }],
    charges: [{ amount: AMOUNT_MINOR, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } }],
  };
}

function payoutOrderBody(): object {
  return {
    allowed_payout_methods: ['cash'], amount: AMOUNT_MINOR, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' },
    payout: { payout_method: { type: 'cash' } }, reason: 'Referencia de devolución', expires_at: Math.floor(Date.now() / 1000) + THIRTY_DAYS_S,
    metadata: { custom_client_id: '12345' },
  };
}
