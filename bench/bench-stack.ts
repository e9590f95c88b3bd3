import { DEMO_CREDENTIALS } from '../src/cli/demo-merchants.ts';
import { waitUntilServing } from '../src/cli/wait-until-serving.ts';
import { findFreePort } from '../src/embedded/port-check.ts';
import { connectClient } from '../src/temporal/connection.ts';
import type { TemporalClient } from '../src/temporal/connection.ts';
import { createDatabase, startPostgres } from '../test/support/postgres.ts';
import { startNodeProgram } from '../test/support/processes.ts';
import type { Program } from '../test/support/processes.ts';
import { EXECUTABLE, startProduct } from '../test/support/product.ts';
import type { Product } from '../test/support/product.ts';
import { startCountingRelay } from './counting-relay.ts';
import { openMerchantBackend } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { untilQuiet } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';

/** The deadline is the product's own: a busy machine makes no lost answers. If one is lost all the same, it is soon found again. */
const SETTINGS = { LOG_LEVEL: 'warn', CONEKTA_TIMEOUT_MS: '8000', CONEKTA_SETTLE_DELAY_MS: '1500' };

/** What stopping takes back, the last first. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = [];
  #isStopping = false;

  /** Notes what takes back something just started; when the bench was stopped meanwhile, takes it back at once and rejects. */
  async push(step: () => Promise<void>): Promise<void> {
    this.#steps.push(step);
    if (!this.#isStopping) return;
    await this.run();
    throw new Error('the bench was stopped');
  }

  /** Takes everything back. What cannot be stopped does not keep the rest running. */
  async run(): Promise<void> {
    this.#isStopping = true;
    for (const step of this.#steps.splice(0).toReversed()) await step().catch((error: unknown) => console.error(error));
  }
}

/** How long a worker took to begin. */
export interface WorkerStart {
  /** From the start of its process until it polls, seconds. */
  readonly readySeconds: number;
}

/** The shipped processes on stores of their own: PostgreSQL, Temporal server on a file, sandbox, one API, one worker. */
export interface BenchStack {
  readonly merchant: MerchantBackend;
  readonly temporal: TemporalClient;
  readonly databaseUrl: string;
  /** The Temporal server's SQLite file. */
  readonly temporalFile: string;
  /** The processes that run now. */
  pids(): PerRole;
  /** Requests of the worker to the provider so far. */
  providerCalls(): number;
  /** Stops the worker in good order and starts another one with such a sticky cache. */
  restartWorker(maxCachedWorkflows: number): Promise<WorkerStart>;
  /** Waits until nothing is under way. */
  untilQuiet(): Promise<void>;
}

/** Starts a stack; what it started is stopped by `undo`, also when this rejects. */
export async function startBenchStack(name: string, maxCachedWorkflows: number, undo: Undo): Promise<BenchStack> {
  const postgres = await startPostgres();
  if (postgres === null) throw new Error('PostgreSQL is not installed: the bench needs it.');
  await undo.push(() => postgres.stop());
  const databaseUrl = await createDatabase(postgres, name);
  const product = await startProduct({ databaseUrl, workers: 0, settings: SETTINGS });
  await undo.push(() => product.stop());
  const relay = await startCountingRelay(Number(new URL(product.sandboxUrl).port));
  await undo.push(() => relay.close());
  let { worker } = await startWorker(product, databaseUrl, relay.url, maxCachedWorkflows);
  const first = worker;
  await undo.push(() => first.stop());
  const temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  await undo.push(() => temporal.close());
  const merchant = openMerchantBackend(product.apiUrl);
  await undo.push(() => merchant.close());
  const pids = (): PerRole => ({ api: product.apis[0]?.program.pid ?? 0, worker: worker.pid, temporal: product.temporal.pid, postgres: postgres.pid });
  return {
    merchant, temporal, databaseUrl, temporalFile: product.temporal.dbFile, pids, providerCalls: () => relay.requests(), untilQuiet: () => untilQuiet(pids()),
    async restartWorker(cache) {
      await worker.stop();
      const started = await startWorker(product, databaseUrl, relay.url, cache);
      worker = started.worker;
      await undo.push(() => started.worker.stop());
      return { readySeconds: started.readySeconds };
    },
  };
}

async function startWorker(product: Product, databaseUrl: string, providerUrl: string, cache: number): Promise<WorkerStart & { readonly worker: Program }> {
  const port = await findFreePort();
  const env = {
    ...SETTINGS, HOST: '127.0.0.1', DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: product.temporal.address, CONEKTA_BASE_URL: providerUrl,
    PROVIDER_CREDENTIALS: JSON.stringify(DEMO_CREDENTIALS), WORKER_HEALTH_PORT: String(port), MAX_CACHED_WORKFLOWS: String(cache),
  };
  const begun = performance.now();
  const worker = await startNodeProgram(EXECUTABLE, ['worker'], { env });
  const gone = new AbortController();
  void worker.exited.then(() => gone.abort(new Error(`the worker ended:\n${worker.lines().slice(-20).join('\n')}`)));
  try {
    await waitUntilServing(`http://127.0.0.1:${port}/health/ready`, gone.signal);
  } catch (error) {
    await worker.stop();
    throw error;
  }
  return { worker, readySeconds: (performance.now() - begun) / 1000 };
}
