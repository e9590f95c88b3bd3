import { call } from '../support/http-call.ts';
import type { CallOptions } from '../support/http-call.ts';
import type { Canaries } from './canaries.ts';
import type { Callers } from './chaos-callers.ts';

/** Makes requests that are refused, with canaries wherever a caller may put them, so that error bodies and logs have something to give away (I7). */
export async function provokeErrors(callers: Callers, { name, email, phone, cardNumber, keys }: Canaries): Promise<void> {
  const key = keys.plain;
  const payout = { allowed_payout_methods: ['cash'], amount: 100, currency: 'MXN', customer_info: { customer_id: 'cus_chaos' }, payout: { payout_method: { type: 'cash' } }, reason: 'x', expires_at: 4_000_000_000 };
  const bad: readonly (readonly [method: 'GET' | 'POST' | 'PUT', path: string, options: CallOptions])[] = [
    ['POST', '/payout_orders', { key, body: { ...payout, reason: `card ${cardNumber}` } }],
    ['POST', '/payout_orders', { key, body: { ...payout, customer_info: { customer_id: 'cus_chaos', name, email, phone } } }],
    ['POST', '/payout_orders', { key, body: { ...payout, [email]: 1, [phone]: 2, amount: email, currency: phone } }],
    ['POST', '/payout_orders', { key, body: `{"email":"${email}" "${cardNumber}"` }],
    ['POST', `/orders/${cardNumber}/refunds`, { key, body: { reason: email } }],
    ['POST', '/orders', { key, body: { name, email, phone, number: cardNumber } }],
    ['POST', `/api/v2/pagos/devolucion/${encodeURIComponent(email)}`, { key, body: `{"amount":"${phone}","reason":"${name}"}` }],
    ['GET', `/payout_orders/${encodeURIComponent(email)}?search=${encodeURIComponent(phone)}`, { key }],
    ['GET', `/payout_orders?search=${encodeURIComponent(email)}&limit=x`, { key }],
    ['GET', `/v1/payout_orders/${cardNumber}`, { key }],
    ['GET', `/nowhere/${encodeURIComponent(email)}?key=${key}`, { headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` } }],
    ['GET', '/payout_orders', { key: `${key}x` }],
    ['POST', '/webhooks/conekta', { body: { name, email, phone }, headers: { digest: key } }],
  ];
  for (const [method, path, options] of bad) await callers.persist('a bad request', 0, (url) => call(method, `${url}${path}`, options));
}
