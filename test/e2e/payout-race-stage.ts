import { generateKeyPairSync } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DEMO_CREDENTIALS, saveDemoMerchants } from '../../src/cli/demo-merchants.ts';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { ReintegroClient } from '../../src/client/reintegro-client.ts';
import { findFreePort } from '../../src/embedded/port-check.ts';
import { createApiApp } from '../../src/http/app.ts';
import { createConektaAdapter } from '../../src/providers/conekta/adapter.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import { createSandboxApp } from '../../src/sandbox/app.ts';
import { migrate } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import { connectWorker } from '../../src/temporal/worker-connection.ts';
import { createReintegroWorker } from '../../src/worker/create-worker.ts';
import { startDatabase } from '../support/database.ts';
import { devServer } from '../support/temporal-servers.ts';
import { speakOnlyOfErrors } from '../workflow/environments.ts';
import { workflowBundle } from '../workflow/workflow-bundle.ts';

/** The confirmation window, the same for the provider and for us, milliseconds. */
export const WINDOW_MS = 3000;

/** Metadata of a payout order whose provider's clock is late: how many seconds longer the provider keeps its reference open than we say. */
export const LATE_CLOCK = 'provider_clock_late_seconds';

const WORKERS = 2;
const TIMEOUT_MS = 8000;

/** Everything that races are run on: the product and its provider, in this process, on a real Temporal server and a real PostgreSQL. */
export interface RaceStage {
  readonly db: Database;
  readonly client: ReintegroClient;
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  /** What the provider announced of a payout order, by our id, in its order; whether or not the webhook got through. */
  history(payoutOrderId: string): readonly string[];
  /** From now on no webhook about this payout order gets through. */
  loseWebhooks(payoutOrderId: string): void;
  stop(): Promise<void>;
}

/** Starts it; `null` where PostgreSQL is not installed. What was started before something failed is stopped again. */
export async function raceStage(): Promise<RaceStage | null> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const stage = await startAll(undo);
    return stage === null ? null : { ...stage, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(undo: (() => Promise<unknown>)[]): Promise<Omit<RaceStage, 'stop'> | null> {
  speakOnlyOfErrors();
  const database = await startDatabase('PostgreSQL');
  if (database === null) return null;
  undo.push(() => database.stop());
  const { db } = database;
  await migrate(db);
  await saveDemoMerchants(db);
  const server = await devServer();
  undo.push(() => server.stop());
  const line = webhookLine();
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const port = await findFreePort();
  const apiUrl = `http://127.0.0.1:${port}`;
  const sandbox = await createSandboxApp({ databasePath: ':memory:', confirmationWindowMs: WINDOW_MS, webhook: { url: `${apiUrl}/webhooks/conekta`, privateKeyPem: keys.privateKey } });
  undo.push(() => sandbox.close());
  const sandboxUrl = await sandbox.listen({ host: '127.0.0.1', port: 0 });
  for (let count = 0; count < WORKERS; count += 1) undo.push(await startWorker(server.address, db, sandboxUrl));
  const temporal = await connectClient({ address: server.address, namespace: 'default' });
  undo.push(() => temporal.close());
  const client = createReintegroClient({ client: temporal.client });
  const api = await createApiApp({
    db, client, syncWaitMs: 10_000, logger: false, isReady: async () => true, webhookPublicKeyPem: keys.publicKey,
    gateway: { isConfigured: false, webhookPublicKeyPem: undefined },
    orders: { baseUrl: sandboxUrl, timeoutMs: TIMEOUT_MS, credentialOf: () => undefined },
  });
  undo.push(() => api.close());
  line.watch(api);
  await api.listen({ host: '127.0.0.1', port });
  return { db, client, apiUrl, sandboxUrl, history: line.history, loseWebhooks: line.lose };
}

async function startWorker(address: string, db: Database, sandboxUrl: string): Promise<() => Promise<void>> {
  // Two workers on one connection count as the same one.
  const connection = await connectWorker({ address, namespace: 'default' });
  const adapter = createConektaAdapter({ baseUrl: sandboxUrl, timeoutMs: TIMEOUT_MS });
  const entry = { adapter: withLateClock(adapter), timeoutMs: TIMEOUT_MS, settleDelayMs: 1500, maxSends: 3, confirmationWindowMs: WINDOW_MS, pollMs: null };
  const providers = createProviderRegistry([entry], DEMO_CREDENTIALS);
  const worker = await createReintegroWorker({ connection, namespace: 'default', db, providers, workflowBundle: await workflowBundle(), maxCachedWorkflows: 200 });
  const ended = worker.run();
  return async () => {
    worker.shutdown();
    await ended;
    await adapter.close();
    await connection.close();
  };
}

/** A provider that counts its seconds later than we do, where a payout order wants it so: then our own clock ends the reference, by voiding it (P2). */
function withLateClock(adapter: ProviderAdapter): ProviderAdapter {
  return { ...adapter, createPayoutOrder: (call, order) => adapter.createPayoutOrder(call, { ...order, expiresAt: order.expiresAt + Number(order.metadata[LATE_CLOCK] ?? 0) }) };
}

const eventSchema = z.object({ data: z.object({ object: z.object({ status: z.string(), metadata: z.object({ reintegro_id: z.string() }) }) }) });

/** The line on which the provider's webhooks reach our API: it keeps what passed, and loses what it is told to. */
function webhookLine() {
  const histories = new Map<string, string[]>();
  const lost = new Set<string>();
  const keep = (request: FastifyRequest): void => {
    const { status, metadata } = read(request);
    const history = histories.get(metadata.reintegro_id) ?? [];
    histories.set(metadata.reintegro_id, history);
    // Delivered once more, because the answer to the first delivery came late.
    if (history.at(-1) !== status) history.push(status);
  };
  const isWebhook = (request: FastifyRequest): boolean => request.url === '/webhooks/conekta';
  const read = (request: FastifyRequest) => eventSchema.parse(JSON.parse(String(request.body))).data.object;
  return {
    history: (payoutOrderId: string): readonly string[] => histories.get(payoutOrderId) ?? [],
    lose: (payoutOrderId: string): void => void lost.add(payoutOrderId),
    watch(api: FastifyInstance): void {
      api.addHook('preHandler', async (request, reply) => (isWebhook(request) && lost.has(read(request).metadata.reintegro_id) ? reply.status(200).send({}) : undefined));
      api.addHook('onResponse', async (request, reply) => {
        if (isWebhook(request) && reply.statusCode === 200) keep(request);
      });
    },
  };
}
