import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_CREDENTIALS, saveDemoMerchants } from '../src/cli/demo-merchants.ts';
import { findFreePort } from '../src/embedded/port-check.ts';
import { startTemporalServer } from '../src/embedded/temporal-server.ts';
import { loadOrCreateWebhookKey } from '../src/sandbox/webhook-key.ts';
import { migrate, openDatabase } from '../src/store/database.ts';
import { connectClient } from '../src/temporal/connection.ts';
import type { TemporalClient } from '../src/temporal/connection.ts';
import { createDatabase, startPostgres } from '../test/support/postgres.ts';
import { startCountingRelay } from './counting-relay.ts';
import { openDatabaseProbe } from './database-counters.ts';
import type { DatabaseProbe } from './database-counters.ts';
import { openMerchantBackend } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { untilQuiet } from './process-figures.ts';
import type { Pids } from './process-figures.ts';
import { SHIPPED } from './shipped-build.ts';
import { startServing } from './start-program.ts';
import type { ProgramSpec, StartedProgram } from './start-program.ts';
import type { Undo } from './undo.ts';

/** The deadline is the product's own: a busy machine makes no lost answers. If one is lost all the same, it is soon found again. */
const SETTINGS = { HOST: '127.0.0.1', LOG_LEVEL: 'warn', CONEKTA_TIMEOUT_MS: '8000', CONEKTA_SETTLE_DELAY_MS: '1500' };

const PORT_TRIES = 5;

/** How a stack is started. */
export interface StackOptions {
  /** Of its database. */
  readonly name: string;
  /** The Temporal server's program. */
  readonly temporalCli: string;
  /** The worker's sticky cache, in Workflows. */
  readonly cache: number;
  /** The worker calls the provider through a relay that counts, and costs the client's CPU. */
  readonly countsCalls: boolean;
}

/** How the worker is started. */
export type WorkerOptions = Pick<StackOptions, 'cache' | 'countsCalls'> & {
  /** The executable; the shipped one when omitted. */
  readonly file?: string;
};

/** The shipped processes on stores of their own: PostgreSQL, Temporal server on a file, sandbox, one API, one worker. */
export interface BenchStack {
  readonly merchant: MerchantBackend;
  readonly temporal: TemporalClient;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  readonly database: DatabaseProbe;
  /** The Temporal server's SQLite file. */
  readonly temporalFile: string;
  /** The processes that run now. */
  pids(): Pids;
  /** Requests of the worker to the provider so far, of those that are counted. */
  providerCalls(): number;
  /** Stops the worker in good order and starts another one; answers the seconds until it polls. */
  restartWorker(options: WorkerOptions): Promise<number>;
  /** Waits until nothing is under way. */
  untilQuiet(): Promise<void>;
}

/** Starts a stack; what it started is stopped by `undo`, also when this rejects. */
export async function startBenchStack({ name, temporalCli, ...workerOptions }: StackOptions, undo: Undo): Promise<BenchStack> {
  const postgres = await startPostgres();
  if (postgres === null) throw new Error('PostgreSQL is not installed: the bench needs it.');
  await undo.push(() => postgres.stop());
  const databaseUrl = await createDatabase(postgres, name);
  await prepareDatabase(databaseUrl);
  const dataDir = await mkdtemp(join(tmpdir(), 'reintegro-bench-'));
  await undo.push(() => rm(dataDir, { recursive: true, force: true }));
  const temporalFile = join(dataDir, 'temporal.sqlite');
  const temporal = await onFreePort((port) => startTemporalServer({ cliPath: temporalCli, dbFile: temporalFile, port, uiPort: 0, headless: true, logFile: `${temporalFile}.log` }));
  await undo.push(() => temporal.stop());
  const layout = await chooseLayout(dataDir, databaseUrl, temporal.address);
  const sandbox = await start(layout.sandbox, undo);
  const api = await start(layout.api, undo);
  const relay = await startCountingRelay(layout.sandboxPort);
  await undo.push(() => relay.close());
  const startWorker = ({ cache, countsCalls, file = SHIPPED }: WorkerOptions): Promise<StartedProgram> => (
    onFreePort((port) => start(layout.worker(file, cache, countsCalls ? relay.url : layout.sandboxUrl, port), undo))
  );
  let worker = await startWorker(workerOptions);
  const client = await connectClient({ address: temporal.address, namespace: 'default' });
  await undo.push(() => client.close());
  const merchant = openMerchantBackend(layout.apiUrl);
  await undo.push(() => merchant.close());
  const database = await openDatabaseProbe(databaseUrl);
  await undo.push(() => database.close());
  const pids = (): Pids => ({
    'client': [process.pid], 'api': [api.program.pid], 'worker': [worker.program.pid], 'bare worker': [],
    'temporal': [temporal.pid], 'postgres': [postgres.pid], 'provider': [sandbox.program.pid],
  });
  return {
    merchant, temporal: client, temporalAddress: temporal.address, databaseUrl, database, temporalFile, pids, providerCalls: () => relay.requests(), untilQuiet: () => untilQuiet(pids()),
    async restartWorker(options) {
      await worker.program.stop();
      worker = await startWorker(options);
      return worker.readySeconds;
    },
  };
}

/** Tries again with another port when the one that was free a moment ago is taken; the Temporal server chooses some of its own besides. */
async function onFreePort<T>(begin: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await begin(await findFreePort());
    } catch (error) {
      if (tries === PORT_TRIES || !/address already in use|EADDRINUSE/.test(String(error))) throw error;
    }
  }
}

async function start(spec: ProgramSpec, undo: Undo): Promise<StartedProgram> {
  const started = await startServing(spec);
  await undo.push(() => started.program.stop());
  return started;
}

async function prepareDatabase(url: string): Promise<void> {
  const db = openDatabase({ kind: 'postgres', url, poolSize: 1 });
  await migrate(db);
  await saveDemoMerchants(db);
  await db.destroy();
}

/** Who listens where, and with what settings. */
interface Layout {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly sandboxPort: number;
  readonly sandbox: ProgramSpec;
  readonly api: ProgramSpec;
  worker(file: string, cache: number, providerUrl: string, port: number): ProgramSpec;
}

/** As compose would have it: only the worker holds credentials that move money, and the provider announces what happens to the API. */
async function chooseLayout(dataDir: string, databaseUrl: string, temporalAddress: string): Promise<Layout> {
  const [sandboxPort, apiPort] = [await findFreePort(), await findFreePort()];
  const [sandboxUrl, apiUrl] = [`http://127.0.0.1:${sandboxPort}`, `http://127.0.0.1:${apiPort}`];
  const credentials = JSON.stringify(DEMO_CREDENTIALS);
  const shared = { ...SETTINGS, DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporalAddress };
  return {
    apiUrl, sandboxUrl, sandboxPort,
    sandbox: {
      file: SHIPPED, args: ['sandbox'], readyUrl: `${sandboxUrl}/sandbox/health`,
      env: { ...SETTINGS, DATA_DIR: dataDir, SANDBOX_PORT: String(sandboxPort), SANDBOX_WEBHOOK_URL: `${apiUrl}/webhooks/conekta` },
    },
    api: {
      file: SHIPPED, args: ['api'], readyUrl: `${apiUrl}/health/ready`,
      env: {
        ...shared, PORT: String(apiPort), CONEKTA_BASE_URL: sandboxUrl, ORDER_CREDENTIALS: credentials,
        CONEKTA_WEBHOOK_PUBLIC_KEY: loadOrCreateWebhookKey(join(dataDir, 'sandbox')).publicKeyPem,
      },
    },
    worker: (file, cache, providerUrl, port) => ({
      file, args: ['worker'], readyUrl: `http://127.0.0.1:${port}/health/ready`,
      env: { ...shared, CONEKTA_BASE_URL: providerUrl, PROVIDER_CREDENTIALS: credentials, WORKER_HEALTH_PORT: String(port), MAX_CACHED_WORKFLOWS: String(cache) },
    }),
  };
}
