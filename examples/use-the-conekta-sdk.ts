/**
 * A backend that already speaks Conekta points the official SDK at Reintegro: nothing else changes.
 *
 *   node examples/use-the-conekta-sdk.ts [API address]
 */
import { Configuration, OrdersApi, PayoutOrdersApi } from 'conekta';

const [basePath = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const configuration = new Configuration({ accessToken: 'key_demo', basePath });
const orders = new OrdersApi(configuration);
const payoutOrders = new PayoutOrdersApi(configuration);

const { data: order } = await orders.createOrder({
  currency: 'MXN', customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
  line_items: [{ name: 'Box of pencils', unit_price: 50_000, quantity: 1 }],
  charges: [{ amount: 50_000, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } }],
});
console.log(`order ${order.id}: ${order.payment_status}`);

// The last argument carries the idempotency key: repeat the call as often as you like, the money goes back once.
const key = { headers: { 'Idempotency-Key': `refund-of-${order.id}` } };
const { data: refunded } = await orders.orderRefund(order.id ?? '', { amount: 10_000, reason: 'requested_by_client' }, 'en', undefined, key);
console.log(`order ${refunded.id}: ${refunded.payment_status}, ${refunded.amount_refunded} refunded`);

const { data: payoutOrder } = await payoutOrders.createPayoutOrder({
  allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' },
  payout: { payout_method: { type: 'cash' } }, reason: 'Referencia de devolución', expires_at: Math.floor(Date.now() / 1000) + 30 * 24 * 3600,
});
console.log(`payout order ${payoutOrder.id}: ${payoutOrder.status}`);
const { data: cancelled } = await payoutOrders.cancelPayoutOrderById(payoutOrder.id);
console.log(`payout order ${cancelled.id}: ${cancelled.status}`);
