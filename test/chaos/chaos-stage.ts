import { createHash } from 'node:crypto';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { saveApiKey, saveRefundPolicy } from '../../src/store/merchants.ts';
import type { Scope } from '../../src/store/merchants.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { PROVIDER_TIMEOUT_MS, SETTLE_DELAY_MS } from '../e2e/fault-plan.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import type { TestPostgres } from '../support/postgres.ts';
import type { Program } from '../support/processes.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { canariesOf } from './canaries.ts';
import type { Canaries } from './canaries.ts';
import { chaosCallers, MERCHANT_IDS } from './chaos-callers.ts';
import type { Callers } from './chaos-callers.ts';
import { REVIEW_THRESHOLD_MINOR } from './chaos-plan.ts';
import { WINDOW_SECONDS } from './play-payouts.ts';
import type { ShippedBuild } from './shipped-build.ts';
import { CANCELLATION_WINDOW_MS } from './steer-refund.ts';

/** What a run is played on: two APIs and two workers, the sandbox, a Temporal server on a file, a PostgreSQL of its own. */
export interface ChaosStage {
  readonly product: Product;
  readonly postgres: TestPostgres;
  readonly db: Database;
  readonly temporal: TemporalClient;
  readonly canaries: Canaries;
  readonly callers: Callers;
  /** The Workflow code that the shipped workers run. */
  readonly bundlePath: string;
  /** Keeps the output of the programs that run now, also for when they are gone. */
  keepOutput(): void;
  /** All that the programs of the product ever wrote, killed ones included. */
  output(): readonly string[];
  stop(): Promise<void>;
}

const SCOPES: Readonly<Record<keyof Canaries['keys'], readonly Scope[]>> = { plain: ['read', 'refunds', 'payouts'], stopping: ['read', 'refunds', 'payouts'], rail: ['rail'] };

/**
 * From the fourth time on that a Workflow loses the worker that has its task in hands, the server takes 5, 10, 20 and so on up to 600 seconds longer to
 * notice. Workers that are killed sixty times in three minutes would leave nothing else to see.
 */
const TEMPORAL_CONFIG = { 'history.workflowTaskRetryMaxInterval': '1s' };

/** The programs that a run is about: the shipped ones, and what the workers run instead, if anything. */
export interface Programs extends ShippedBuild {
  readonly workerProgram?: string;
}

/** Starts it. What was started before something failed is stopped again. */
export async function startStage(seed: number, programs: Programs): Promise<ChaosStage> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step().catch((error: unknown) => console.error(error));
  };
  try {
    return { ...await startAll(seed, programs, undo), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(seed: number, { executable, workerProgram, bundlePath }: Programs, undo: (() => Promise<unknown>)[]): Promise<Omit<ChaosStage, 'stop'>> {
  const postgres = await startPostgres();
  if (postgres === null) throw new Error('PostgreSQL is not installed: the fault rig starts one of its own (Debian: apt-get install postgresql; otherwise put initdb on PATH).');
  undo.push(() => postgres.stop());
  const databaseUrl = await createDatabase(postgres, 'chaos');
  const canaries = canariesOf(seed);
  const credentials = JSON.stringify(Object.fromEntries((['plain', 'stopping'] as const).map((name) => [MERCHANT_IDS[name], { conekta: canaries.providerKeys[name], gateway: canaries.providerKeys[name] }])));
  const settings = {
    CONEKTA_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS), CONEKTA_SETTLE_DELAY_MS: String(SETTLE_DELAY_MS), SYNC_WAIT_MS: '2500', CONFIRMATION_WINDOW_SECONDS: String(WINDOW_SECONDS),
    PROVIDER_CREDENTIALS: credentials, ORDER_CREDENTIALS: credentials,
  };
  const product = await startProduct({ databaseUrl, executable, apis: 2, workers: 2, settings, temporalConfig: TEMPORAL_CONFIG, ...(workerProgram === undefined ? {} : { workerProgram }) });
  undo.push(() => product.stop());
  const db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 4 });
  undo.push(() => db.destroy());
  await prepareMerchants(db, canaries);
  const temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  // It is not closed: a call of a run that was stopped would be repeated on it all the same, and its failure has nobody to take it.
  const client = createReintegroClient({ client: temporal.client });
  const started = new Set<Program>();
  const keepOutput = (): void => [...product.apis, ...product.workers, product.sandbox].forEach(({ program }) => started.add(program));
  keepOutput();
  return {
    product, postgres, db, temporal, canaries, bundlePath, keepOutput,
    callers: chaosCallers({ apiUrls: product.apis.map(({ url }) => url), sandboxUrl: product.sandboxUrl, canaries, client }),
    output: () => [...started].flatMap((program) => program.lines()),
  };
}

/** Two merchants with keys of this run: the refunds of one are sent at once, those of the other stop for a second person and for a while. */
async function prepareMerchants(db: Database, { keys }: Canaries): Promise<void> {
  for (const [name, key] of Object.entries(keys) as [keyof Canaries['keys'], string][]) {
    await saveApiKey(db, { keyHash: createHash('sha256').update(key).digest('hex'), keyPrefix: `chaos_${name}`, merchantId: MERCHANT_IDS[name === 'stopping' ? 'stopping' : 'plain'], scopes: SCOPES[name] });
  }
  await saveRefundPolicy(db, MERCHANT_IDS.stopping, { reviewThresholdMinor: REVIEW_THRESHOLD_MINOR, cancellationWindowMs: CANCELLATION_WINDOW_MS });
}
