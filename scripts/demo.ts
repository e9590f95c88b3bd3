/**
 * The demo: against a running `npm start`, with the official SDK and the gateway's dialect. A split order, a partial and a total refund, a payout
 * order called off, another one collected, a payment of the gateway; then a refund and a payout order whose worker is killed with -9 in the middle.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Configuration, OrdersApi, PayoutOrdersApi } from 'conekta';
import type { OrderRequest, PayoutOrderResponse } from 'conekta';
import { parseConfig } from '../src/config.ts';

const config = parseConfig(process.env);
const api = `http://127.0.0.1:${config.PORT}`;
const sandbox = `http://127.0.0.1:${config.SANDBOX_PORT}`;
const sdk = new Configuration({ accessToken: 'key_demo', basePath: api });
const orders = new OrdersApi(sdk);
const payoutOrders = new PayoutOrdersApi(sdk);

interface Row { readonly kind: string; readonly amount: number }

const say = (line: string): void => console.log(line);
const title = (line: string): void => say(`\n── ${line} ${'─'.repeat(Math.max(0, 76 - line.length))}`);
const money = (minor: number): string => `$${(minor / 100).toFixed(2)}`;

async function json<T>(url: string, init: RequestInit = {}, key = 'key_demo'): Promise<T> {
  const response = await fetch(url, { ...init, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } });
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url} answers ${response.status}: ${await response.text()}`);
  return await response.json() as T;
}

/** Waits for a condition, asked every fifth of a second. */
async function until<T>(what: string, ask: () => Promise<T | null>, seconds = 45): Promise<T> {
  for (let tries = 0; tries < seconds * 5; tries += 1) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    await pause(200);
  }
  throw new Error(`gave up waiting for ${what}`);
}

function orderOf(...amounts: number[]): OrderRequest {
  return {
    currency: 'MXN', customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
    line_items: [{ name: 'Box of pencils', unit_price: amounts.reduce((sum, amount) => sum + amount, 0), quantity: 1 }],
    charges: amounts.map((amount) => ({ amount, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } })),
  };
}

async function createOrder(...amounts: number[]): Promise<{ id: string; chargeIds: string[] }> {
  const { data } = await orders.createOrder(orderOf(...amounts));
  const chargeIds = (data.charges?.data ?? []).map((charge) => charge.id ?? '');
  say(`order ${data.id}: ${money(data.amount ?? 0)} ${data.payment_status}, ${chargeIds.length} charge(s)`);
  return { id: data.id ?? '', chargeIds };
}

async function createPayoutOrder(): Promise<PayoutOrderResponse> {
  const { data } = await payoutOrders.createPayoutOrder({
    allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: Math.floor(Date.now() / 1000) + 30 * 24 * 3600, metadata: { custom_client_id: '12345' },
  });
  say(`payout order ${data.id}: ${data.status}`);
  return data;
}

async function till(id: string, action: 'withdrawal' | 'confirmation'): Promise<void> {
  await json(`${sandbox}/sandbox/payout_orders/${id}/${action}`, { method: 'POST', body: '{}' });
  say(`  the till reports: ${action}`);
}

async function collect(id: string): Promise<void> {
  await till(id, 'withdrawal');
  await until('the withdrawal to arrive', async () => ((await payoutOrders.getPayoutOrderById(id)).data.status === 'pending_confirmation' ? true : null));
  await till(id, 'confirmation');
  await until('the confirmation to arrive', async () => ((await payoutOrders.getPayoutOrderById(id)).data.status === 'withdrawn' ? true : null));
  say(`payout order ${id}: withdrawn`);
}

/** A payment of the gateway, given back in part in its own dialect; amounts are decimals there. */
async function refundPayment(): Promise<string> {
  const payment = await json<{ id: string }>(`${sandbox}/api/v2/pagos`, { method: 'POST', body: '{"amount":1000.50}' }, 'key_sandbox_demo');
  const message = await json<{ status: string }>(`${api}/api/v2/pagos/devolucion/${payment.id}`, { method: 'POST', body: '{"amount":100.25,"external_reference":"demo"}' });
  say(`payment ${payment.id}: ${money(10_025)} ARS of ${money(100_050)} ${message.status}`);
  return payment.id;
}

/** The journal of the sandbox (what really moved) beside our books; they must agree to the minor unit. */
async function compare(chargeIds: readonly string[], payoutIds: readonly string[]): Promise<void> {
  const rows = [...chargeIds.map((id) => ({ id, query: `charge_id=${id}`, ours: `charge_id=${id}` })), ...payoutIds.map((id) => ({ id, query: `payout_id=${id}`, ours: `payout_order_id=${id}` }))];
  const show = (data: readonly Row[]): string => data.map((row) => `${row.kind} ${money(row.amount)}`).join(', ') || 'nothing moved';
  let differences = 0;
  for (const { id, query, ours } of rows) {
    const journal = show((await json<{ data: Row[] }>(`${sandbox}/sandbox/journal?${query}`)).data);
    const books = show((await json<{ data: Row[] }>(`${api}/v1/money_movements?${ours}`)).data);
    if (journal !== books) differences += 1;
    say(`${id}\n  sandbox journal  ${journal}\n  our books        ${books}${journal === books ? '' : '   ← DIFFERENT'}`);
  }
  if (differences > 0) throw new Error(`${differences} difference(s) between the journal and our books`);
  say('\nThe journal and our books agree: every refund moved exactly once.');
}

/** The process that runs API and worker, as `npm start` recorded it. */
function appPid(): number {
  const file = join(resolve(config.DATA_DIR), 'run', 'app.json');
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
  } catch (error) {
    throw new Error(`${file} is not there: run the demo with the DATA_DIR of "npm start".`, { cause: error });
  }
}

async function refundThroughCrash(orderId: string, chargeId: string): Promise<void> {
  await json(`${sandbox}/sandbox/faults`, { method: 'POST', body: JSON.stringify({ operation: 'refund', mode: 'timeout', times: 1, charge_id: chargeId }) });
  const key = { headers: { 'Idempotency-Key': randomUUID() } };
  const asked = orders.orderRefund(orderId, { amount: 12_500, reason: 'requested_by_client' }, 'en', undefined, key).then(() => 'answered', () => 'connection lost');
  await until('the provider to move the money', async () => ((await json<{ data: Row[] }>(`${sandbox}/sandbox/journal?charge_id=${chargeId}`)).data.length > 0 ? true : null));
  const pid = appPid();
  say(`the provider has moved ${money(12_500)} and its answer is not here yet: kill -9 ${pid} (API and worker)`);
  process.kill(pid, 'SIGKILL');
  say(`  our call: ${await asked}`);
}

async function main(): Promise<void> {
  const begun = Date.now();
  await fetch(`${api}/health/ready`).then((response) => { if (!response.ok) throw new Error(`answers ${response.status}`); }).catch((error: unknown) => {
    throw new Error(`Reintegro does not serve on ${api}: run "npm start" in another shell first.`, { cause: error });
  });

  title('A split order: a partial refund of one charge, then the rest of both');
  const split = await createOrder(30_000, 20_000);
  const partial = await orders.orderRefund(split.id, { amount: 10_000, charge_id: split.chargeIds[0], reason: 'requested_by_client' } as never);
  say(`  partial refund: ${partial.data.payment_status}, ${money(partial.data.amount_refunded ?? 0)} refunded`);
  const total = await orders.orderRefund(split.id, { reason: 'requested_by_client' } as never);
  say(`  total refund:   ${total.data.payment_status}, ${money(total.data.amount_refunded ?? 0)} refunded`);

  title('A payout order, called off; another one, collected');
  const calledOff = await createPayoutOrder();
  say(`payout order ${calledOff.id}: ${(await payoutOrders.cancelPayoutOrderById(calledOff.id)).data.status}`);
  const collected = await createPayoutOrder();
  await collect(collected.id);

  title('A payment of another provider, in the gateway\'s dialect');
  const paymentId = await refundPayment();

  title('A crash between the provider moving the money and its answer');
  const crashed = await createOrder(50_000);
  const waiting = await createPayoutOrder();
  await refundThroughCrash(crashed.id, crashed.chargeIds[0] ?? '');
  await till(waiting.id, 'withdrawal');
  say('  (nobody of ours is there to hear it: the sandbox keeps its webhook for later)');
  await until('API and worker to be back', async () => ((await fetch(`${api}/health/ready`)).ok ? true : null));
  say('API and worker are back; the Workflow looks at the provider before it would ever send again');
  await until('the refund to finish', async () => ((await json<{ data: Row[] }>(`${api}/v1/money_movements?charge_id=${crashed.chargeIds[0]}`)).data.length > 0 ? true : null));
  say('  the refund is found at the provider and settled, not sent again');
  await until('the withdrawal to arrive', async () => ((await payoutOrders.getPayoutOrderById(waiting.id)).data.status === 'pending_confirmation' ? true : null));
  await till(waiting.id, 'confirmation');
  await until('the confirmation to arrive', async () => ((await payoutOrders.getPayoutOrderById(waiting.id)).data.status === 'withdrawn' ? true : null));
  say(`payout order ${waiting.id}: withdrawn`);

  title('What really moved, and what our books say');
  await compare([...split.chargeIds, paymentId, ...crashed.chargeIds], [calledOff.id, collected.id, waiting.id]);
  say(`\nDone in ${Math.round((Date.now() - begun) / 1000)} s. Look at the Workflows: http://127.0.0.1:${config.TEMPORAL_UI_PORT}/namespaces/default/workflows`);
}

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
