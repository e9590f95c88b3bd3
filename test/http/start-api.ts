import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { expect } from 'vitest';
import { createApiApp } from '../../src/http/app.ts';
import type { ApiDeps } from '../../src/http/app.ts';
import type { Database } from '../../src/store/database.ts';
import { saveApiKey, saveMerchant, SCOPES } from '../../src/store/merchants.ts';
import type { Scope } from '../../src/store/merchants.ts';
import { memoryDatabase } from '../support/database.ts';
import { FakeClient } from './fake-client.ts';

/** Keys of the fixture: the first merchant's with all scopes, the second merchant's. */
export const KEY = 'key_test_one';
export const OTHER_KEY = 'key_test_two';

/** An answer, with the shape left to the test. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are probed field by field
  readonly body: any;
}

/** The API over an in-memory database and a client without Temporal. */
export interface TestApi {
  readonly app: FastifyInstance;
  readonly db: Database;
  readonly client: FakeClient;
  /** Everything logged so far. */
  log(): string;
  /** Calls with the first merchant's key unless the headers say otherwise; a plain body is sent as JSON. */
  call(method: InjectOptions['method'], url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** Builds the API, with both merchants and their keys on record. */
export async function startApi(overrides: Partial<ApiDeps> = {}): Promise<TestApi> {
  const db = await memoryDatabase();
  for (const [merchantId, key] of [['m_one', KEY], ['m_two', OTHER_KEY]] as const) {
    await saveMerchant(db, { merchantId, name: merchantId, provider: 'conekta' });
    await addKey(db, merchantId, key, SCOPES);
  }
  const client = new FakeClient();
  const lines: string[] = [];
  const app = await createApiApp({
    db, client, webhookPublicKeyPem: undefined, gateway: { isConfigured: true, webhookPublicKeyPem: undefined }, syncWaitMs: 50, isReady: async () => true,
    orders: { baseUrl: 'http://127.0.0.1:9', credentialOf: () => 'key_provider', timeoutMs: 1000 },
    logger: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    ...overrides,
  });
  const call = async (method: InjectOptions['method'], url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await app.inject({
      method: method ?? 'GET', url,
      headers: { authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: isRaw ? body : JSON.stringify(body) }),
    });
    return { status: response.statusCode, headers: response.headers, body: response.body === '' ? null : (JSON.parse(response.body) as unknown) };
  };
  const close = async (): Promise<void> => {
    await app.close();
    await db.destroy();
  };
  return { app, db, client, call, close, log: () => lines.join('') };
}

/** Adds an API key. */
export async function addKey(db: Database, merchantId: string, key: string, scopes: readonly Scope[]): Promise<void> {
  await saveApiKey(db, { keyHash: createHash('sha256').update(key).digest('hex'), keyPrefix: `${merchantId}_prefix`, merchantId, scopes });
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema(JSON.parse(readFileSync(new URL('../contract/fixtures/contract.schema.json', import.meta.url), 'utf8')) as object);

/** Holds a body against one of the contract's schemas. */
export function expectContract(definition: 'devolucion' | 'error' | 'payout_order' | 'order_after_refund' | 'order_seed' | 'page', body: unknown): void {
  const validate = ajv.getSchema(`contract#/$defs/${definition}`);
  expect(validate?.(body), JSON.stringify(validate?.errors)).toBe(true);
}

/** Expects an error of the dialect, and that no Workflow was asked for anything. */
export function expectRefused({ client }: TestApi, answer: Answer, status: number, type: string): void {
  expect(answer).toMatchObject({ status, body: { object: 'error', type, log_id: expect.stringMatching(/^[0-9a-f]{24}$/) as string } });
  expectContract('error', answer.body);
  expect(client.calls).toEqual([]);
}

/** A seed's JSON. */
export function seed(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../contract/fixtures/seeds/${name}`, import.meta.url), 'utf8')) as Record<string, unknown>;
}

/** A valid body of `POST /payout_orders`. Minor units; expires in an hour. */
export function payoutBody(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: Math.floor(Date.now() / 1000) + 3600, metadata: { custom_client_id: '12345' }, ...changes,
  };
}
