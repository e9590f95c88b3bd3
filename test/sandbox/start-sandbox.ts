import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, vi } from 'vitest';
import { createSandboxApp, type SandboxOptions } from '../../src/sandbox/app.ts';

/** A JSON answer, with the shape left to the test. */
// oxlint-disable-next-line typescript/no-explicit-any -- answers are probed field by field
export interface Answer { readonly status: number; readonly headers: Headers; readonly text: string; readonly body: any }

/** A listening sandbox and ways to talk to it. */
export interface RunningSandbox {
  readonly app: FastifyInstance;
  readonly url: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The kinds and amounts of the journal, oldest first, for one charge or payout order. */
  journal(filter?: string): Promise<readonly (readonly [string, number])[]>;
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Moves the clock without waiting, until the test ends: the sandbox looks at it before every request. */
export function advanceClock(ms: number): void {
  stopClockAt(Date.now() + ms);
}

/** Stops the clock at an instant (unix milliseconds), until the test ends. */
export function stopClockAt(atMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs });
  onTestFinished(() => void vi.useRealTimers());
}

/** Starts a sandbox on a free port of the loopback; stopped when the test ends. */
export async function startSandbox(options: Partial<SandboxOptions> = {}): Promise<RunningSandbox> {
  const app = await createSandboxApp({ databasePath: ':memory:', confirmationWindowMs: 180_000, ...options });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => app.close());
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: 'Bearer key_demo', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  const journal = async (filter = ''): Promise<readonly (readonly [string, number])[]> => {
    const { body } = await call('GET', `/sandbox/journal${filter}`);
    return (body.data as { kind: string; amount: number }[]).map((row) => [row.kind, row.amount] as const);
  };
  return { app, url, call, journal };
}

/** A valid order body with one card charge per amount. Minor units. */
export function cardOrder(...amounts: number[]): Record<string, unknown> {
  return {
    currency: 'MXN',
    customer_info: { name: 'Nicolás Cedrón', email: 'n@example.com', phone: '5522997233' },
    line_items: [{ name: 'Box of Cohiba S1s', unit_price: amounts.reduce((sum, amount) => sum + amount, 0), quantity: 1 }],
    charges: amounts.map((amount) => ({ amount, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } })),
  };
}

/** Creates an order with one card charge per amount and returns its body. */
export async function createCardOrder(sandbox: RunningSandbox, ...amounts: number[]): Promise<Answer['body']> {
  const { status, body } = await sandbox.call('POST', '/orders', cardOrder(...amounts));
  expect(status).toBe(200);
  return body;
}

/** Creates a payment at the gateway and returns its body. The amount is the text of a decimal. */
export async function createPayment(sandbox: RunningSandbox, amount: string, over: Record<string, unknown> = {}): Promise<Answer['body']> {
  const { status, body } = await sandbox.call('POST', '/pagos', JSON.stringify({ amount: 0, ...over }).replace('"amount":0', `"amount":${amount}`));
  expect(status).toBe(200);
  return body;
}

/** A valid payout order body. Amount in minor units. */
export function payoutRequest(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' },
    payout: { payout_method: { type: 'cash' } }, reason: 'Referencia de devolución',
    expires_at: Math.floor(Date.now() / 1000) + 3600, metadata: { custom_client_id: '12345', reintegro_id: 'our-1' }, ...over,
  };
}

/** Creates a payout order and returns its body. */
export async function createPayout(sandbox: RunningSandbox, over: Record<string, unknown> = {}): Promise<Answer['body']> {
  const { status, body } = await sandbox.call('POST', '/payout_orders', payoutRequest(over));
  expect(status).toBe(200);
  return body;
}

/** The status of a payout order, as the provider's own API shows it. */
export async function payoutStatus(sandbox: RunningSandbox, id: string): Promise<string> {
  return (await sandbox.call('GET', `/payout_orders/${id}`)).body.status as string;
}

const contract = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
contract.addSchema(JSON.parse(readFileSync(new URL('../contract/fixtures/contract.schema.json', import.meta.url), 'utf8')) as object);

/** Fails unless the value has a shape of the contract. */
export function expectShape(definition: string, value: unknown): void {
  const validate = contract.compile({ $ref: `contract#/$defs/${definition}` });
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}
