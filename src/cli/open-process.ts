import { createReintegroClient } from '../client/reintegro-client.ts';
import type { Config } from '../config.ts';
import { createApiApp } from '../http/app.ts';
import { migrate, openDatabase } from '../store/database.ts';
import type { Database } from '../store/database.ts';
import { connectClient, connectWorker } from '../temporal/connection.ts';
import { loadOrBuildWorkflowBundle } from '../temporal/workflow-bundle.ts';
import { createReintegroWorker } from '../worker/create-worker.ts';
import { configureProviders } from '../worker/provider-settings.ts';
import type { Logger } from 'pino';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sql } from 'kysely';

/** Something that runs until it is asked to stop. */
export interface Running {
  isReady(): Promise<boolean>;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Opens the database the settings name and brings its schema up to date. */
export async function openRecords(config: Config): Promise<Database> {
  const dataDir = resolve(config.DATA_DIR);
  // The embedded database makes its own folder, but none above it.
  if (config.DATABASE_URL === undefined) mkdirSync(dataDir, { recursive: true });
  const db = openDatabase(config.DATABASE_URL === undefined
    ? { kind: 'embedded', dataDir: join(dataDir, 'database') }
    : { kind: 'postgres', url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE });
  await migrate(db);
  return db;
}

/** Whether the database answers now. */
export async function isDatabaseServing(db: Database): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return true;
  } catch {
    // Not serving is the answer, whatever the reason.
    return false;
  }
}

function temporalTarget(config: Config) {
  return { address: config.TEMPORAL_ADDRESS ?? `127.0.0.1:${config.TEMPORAL_PORT}`, namespace: config.TEMPORAL_NAMESPACE, apiKey: config.TEMPORAL_API_KEY };
}

/** Starts the HTTP API: listens when this resolves. `alsoReady` adds what else must serve for readiness. */
export async function runApi(config: Config, db: Database, logger: Logger, alsoReady: () => Promise<boolean> = async () => true): Promise<Running> {
  const temporal = await connectClient(temporalTarget(config));
  const isReady = async (): Promise<boolean> => (await isDatabaseServing(db)) && (await temporal.isServing()) && alsoReady();
  const app = await createApiApp({
    db, client: createReintegroClient({ client: temporal.client }), syncWaitMs: config.SYNC_WAIT_MS, logger, isReady,
    webhookPublicKeyPem: publicKey(config.CONEKTA_WEBHOOK_PUBLIC_KEY, config.CONEKTA_WEBHOOK_PUBLIC_KEY_FILE),
    gateway: { isConfigured: config.GATEWAY_BASE_URL !== undefined, webhookPublicKeyPem: publicKey(config.GATEWAY_WEBHOOK_PUBLIC_KEY, config.GATEWAY_WEBHOOK_PUBLIC_KEY_FILE) },
    orders: {
      baseUrl: config.CONEKTA_BASE_URL, timeoutMs: config.CONEKTA_TIMEOUT_MS,
      credentialOf: (merchantId, provider) => config.ORDER_CREDENTIALS[merchantId]?.[provider],
    },
  });
  await app.listen({ host: config.HOST, port: config.PORT });
  return {
    isReady,
    failed: new Promise<never>(() => undefined),
    stop: async () => {
      await app.close();
      await temporal.close();
    },
  };
}

/** Starts a Worker: polls when this resolves. */
export async function runWorker(config: Config, db: Database): Promise<Running> {
  const connection = await connectWorker(temporalTarget(config));
  const providers = configureProviders(config);
  const worker = await createReintegroWorker({
    connection, namespace: config.TEMPORAL_NAMESPACE, db, providers: providers.registry,
    workflowBundle: await loadOrBuildWorkflowBundle(), maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
    version: config.WORKER_BUILD_ID === undefined ? undefined : { deploymentName: config.WORKER_DEPLOYMENT_NAME, buildId: config.WORKER_BUILD_ID },
  });
  const ended = worker.run();
  return {
    isReady: async () => worker.getState() === 'RUNNING',
    failed: ended.then(() => new Promise<never>(() => undefined)),
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
      await providers.close();
      await connection.close();
    },
  };
}

/** A provider's webhook key: the file's, if one is named. */
function publicKey(pem: string | undefined, file: string | undefined): string | undefined {
  return file === undefined ? pem : readFileSync(file, 'utf8');
}
