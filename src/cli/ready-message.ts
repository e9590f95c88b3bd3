import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { isErrorCode } from '../embedded/system-error.ts';

const orderSchema = z.object({ id: z.string(), payment_status: z.string().nullable() });

/** The paid order of $500.00 that the ready message refunds. */
const DEMO_ORDER = {
  currency: 'MXN',
  customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
  line_items: [{ name: 'Box of pencils', unit_price: 50_000, quantity: 1 }],
  charges: [{ amount: 50_000, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } }],
};

/** What a newcomer reads when all of it serves: where things are, and a refund to paste (D1). */
export async function readyMessage(config: Config, dataDir: string): Promise<string> {
  const api = `http://127.0.0.1:${config.PORT}`;
  const orderId = await paidOrder(api, join(dataDir, 'demo-order.json'));
  const ui = config.TEMPORAL_ADDRESS === undefined ? `http://127.0.0.1:${config.TEMPORAL_UI_PORT}` : `the Web UI of ${config.TEMPORAL_ADDRESS}`;
  return [
    '', 'Reintegro is ready.', '',
    `  API (Conekta's dialect)   ${api}`,
    `  API (gateway's dialect)   ${api}/api/v2`,
    `  Temporal Web UI           ${ui}`,
    `  Provider sandbox          http://127.0.0.1:${config.SANDBOX_PORT}`,
    `  State                     ${dataDir}`, '',
    `A paid order of $500.00 MXN is waiting: ${orderId}. Refund $100.00 of it:`, '',
    `  curl ${api}/orders/${orderId}/refunds -u key_demo: -H 'Content-Type: application/json' -d '{"amount": 10000, "reason": "requested_by_client"}'`, '',
    'Then look at it in the Temporal Web UI, or run "npm run demo" in another shell. Ctrl-C stops all of it; nothing is lost.', '',
  ].join('\n');
}

/** The demo order of the last start while it is still paid in full, or a new one. */
async function paidOrder(api: string, file: string): Promise<string> {
  const known = await knownOrder(file);
  if (known !== null) {
    const order = await call(`${api}/orders/${known}`, 'GET');
    if (order?.payment_status === 'paid') return order.id;
  }
  const created = await call(`${api}/orders`, 'POST', DEMO_ORDER);
  if (created === null) throw new Error('the sandbox did not take the demo order');
  await writeFile(file, JSON.stringify({ id: created.id }));
  return created.id;
}

async function knownOrder(file: string): Promise<string | null> {
  try {
    return orderSchema.pick({ id: true }).parse(JSON.parse(await readFile(file, 'utf8'))).id;
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function call(url: string, method: 'GET' | 'POST', body?: object): Promise<z.infer<typeof orderSchema> | null> {
  const response = await request(url, {
    method, headers: { authorization: 'Bearer key_demo', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, body: body === undefined ? null : JSON.stringify(body),
  });
  const answer: unknown = await response.body.json();
  return response.statusCode === 200 ? orderSchema.parse(answer) : null;
}
