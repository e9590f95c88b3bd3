import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_CREDENTIALS, saveDemoMerchants } from '../../src/cli/demo-merchants.ts';
import { waitUntilServing } from '../../src/cli/wait-until-serving.ts';
import { findFreePort } from '../../src/embedded/port-check.ts';
import { loadOrCreateWebhookKey } from '../../src/sandbox/webhook-key.ts';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { startNodeProgram } from './processes.ts';
import type { Program } from './processes.ts';
import { devServer } from './temporal-servers.ts';
import type { DevServer } from './temporal-servers.ts';

const EXECUTABLE = join(import.meta.dirname, '../../src/bin/reintegro.ts');

/** How the product under test is laid out. */
export interface ProductOptions {
  /** A PostgreSQL database; without it the embedded one, with API and worker in one process. */
  readonly databaseUrl?: string;
  readonly apis?: number;
  readonly workers?: number;
  /** Settings on top of the ones for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** One process of the product that can be killed and started again with the same settings. */
export interface Part {
  readonly program: Program;
  readonly url: string;
  restart(): Promise<void>;
}

/** The running product: real processes, a real Temporal server, the sandbox. */
export interface Product {
  readonly temporal: DevServer;
  readonly sandbox: Part;
  /** API processes; in the embedded layout the one process that is API and worker. */
  readonly apis: readonly Part[];
  readonly workers: readonly Part[];
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  stop(): Promise<void>;
}

/** Starts the shipped executables, as compose or `npm start` would, with short provider delays. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reintegro-product-'));
  const temporal = await devServer();
  const [sandboxPort, ...apiPorts] = await Promise.all(Array.from({ length: 1 + (options.apis ?? 1) }, () => findFreePort()));
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const settings = {
    HOST: '127.0.0.1', DATA_DIR: dataDir, SANDBOX_PORT: String(sandboxPort), TEMPORAL_ADDRESS: temporal.address, CONEKTA_BASE_URL: sandboxUrl,
    CONEKTA_TIMEOUT_MS: '2000', CONEKTA_SETTLE_DELAY_MS: '1500', LOG_LEVEL: 'info', PATH: process.env['PATH'] ?? '',
    PROVIDER_CREDENTIALS: JSON.stringify(DEMO_CREDENTIALS), ORDER_CREDENTIALS: JSON.stringify(DEMO_CREDENTIALS),
    CONEKTA_WEBHOOK_PUBLIC_KEY: loadOrCreateWebhookKey(join(dataDir, 'sandbox')).publicKeyPem,
    SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${apiPorts[0]}/webhooks/conekta`,
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }), ...options.settings,
  };
  if (options.databaseUrl !== undefined) await prepareDatabase(options.databaseUrl);
  const sandbox = await startPart(['sandbox'], settings, sandboxUrl, '/sandbox/health');
  const embedded = options.databaseUrl === undefined;
  const workers = embedded ? [] : await Promise.all(Array.from({ length: options.workers ?? 1 }, async () => {
    const port = await findFreePort();
    return startPart(['worker'], { ...settings, WORKER_HEALTH_PORT: String(port) }, `http://127.0.0.1:${port}`, '/health/ready');
  }));
  const apis = await Promise.all(apiPorts.map((port) =>
    startPart(embedded ? ['serve', '--demo'] : ['api'], { ...settings, PORT: String(port) }, `http://127.0.0.1:${port}`, '/health/ready')));
  return {
    temporal, sandbox, apis, workers, apiUrl: apis[0]?.url ?? '', sandboxUrl,
    stop: async () => {
      await Promise.all([...apis, ...workers, sandbox].map((part) => part.program.stop()));
      await temporal.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function prepareDatabase(url: string): Promise<void> {
  const db = openDatabase({ kind: 'postgres', url, poolSize: 1 });
  await migrate(db);
  await saveDemoMerchants(db);
  await db.destroy();
}

async function startPart(args: readonly string[], env: Readonly<Record<string, string>>, url: string, healthPath: string): Promise<Part> {
  const start = async (): Promise<Program> => {
    const started = await startNodeProgram(EXECUTABLE, args, { env });
    const gone = new AbortController();
    void started.exited.then(() => gone.abort(new Error(`${args.join(' ')} ended:\n${started.lines().join('\n')}`)));
    await waitUntilServing(`${url}${healthPath}`, gone.signal);
    return started;
  };
  let program = await start();
  return {
    get program() {
      return program;
    },
    url,
    async restart() {
      program = await start();
    },
  };
}
