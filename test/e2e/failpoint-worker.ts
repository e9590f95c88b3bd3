/**
 * Program: the Worker that `reintegro worker` is, with the same settings, which kills itself with -9 at the step that the file FAILPOINT_FILE
 * names, once: the file is emptied first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import type { ProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { loadOrBuildWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createReintegroWorker } from '../../src/worker/create-worker.ts';
import { withTransactions } from '../support/with-transactions.ts';
import { runWorkerProgram } from '../support/worker-program.ts';
import type { Failpoint } from './failpoint-points.ts';

/** Long enough for the provider to have executed a request that it does not answer, milliseconds. */
const EXECUTED_AFTER_MS = 500;
/** Long enough for the Workflow to have begun its timer, and shorter than that takes, milliseconds. */
const TIMER_RUNS_AFTER_MS = 800;

const file = process.env['FAILPOINT_FILE'] ?? '';

/** Whether this is where the worker is to die. */
function isAt(point: Failpoint): boolean {
  return readFileSync(file, 'utf8') === point;
}

/** Dies here, if it is to; it does not go on then. */
async function dieAt(point: Failpoint): Promise<void> {
  if (!isAt(point)) return;
  writeFileSync(file, '');
  process.kill(process.pid, 'SIGKILL');
  await new Promise<never>(() => undefined);
}

/** Set once the provider has answered a send: the next transaction settles it. */
let isAnswered = false;

/** The records, whose transactions may be the last thing this process does. */
function fragileRecords(db: Database): Database {
  const execute = async (work: (tx: never) => Promise<unknown>): Promise<unknown> => {
    await dieAt('before_reserve');
    const settles = isAnswered;
    isAnswered = false;
    const answer = await db.transaction().execute(async (tx) => {
      const done = await work(tx as never);
      if (settles) await dieAt('before_settle_commit');
      return done;
    });
    if (settles) await dieAt('after_commit');
    if (isAt('after_reserve') && (await isReserved(db))) await dieAt('after_reserve');
    return answer;
  };
  return withTransactions(db, execute);
}

/** Whether something is on record that was not sent yet. */
async function isReserved(db: Database): Promise<boolean> {
  const legs = await db.selectFrom('legs').select('leg_id').where('status', '=', 'reserved').limit(1).execute();
  const payoutOrders = await db.selectFrom('payout_orders').select('payout_order_id').where('status', '=', 'open').where('send_number', '=', 0).limit(1).execute();
  return legs.length + payoutOrders.length > 0;
}

/** A provider, calls of which may be the last thing this process does. */
function fragileAdapter(adapter: ProviderAdapter): ProviderAdapter {
  const sending = async <T>(send: () => Promise<T>): Promise<T> => {
    await dieAt('before_send');
    if (isAt('between_send_and_answer')) setTimeout(() => void dieAt('between_send_and_answer'), EXECUTED_AFTER_MS);
    try {
      const answer = await send();
      isAnswered = true;
      return answer;
    } catch (error) {
      if (isAt('in_settle_delay')) setTimeout(() => void dieAt('in_settle_delay'), TIMER_RUNS_AFTER_MS);
      throw error;
    }
  };
  return {
    ...adapter,
    submitRefund: (call, request) => sending(() => adapter.submitRefund(call, request)),
    createPayoutOrder: (call, request) => sending(() => adapter.createPayoutOrder(call, request)),
  };
}

function fragileProviders(registry: ProviderRegistry): ProviderRegistry {
  return {
    ...registry,
    entry: (provider) => {
      const entry = registry.entry(provider);
      return { ...entry, adapter: fragileAdapter(entry.adapter) };
    },
  };
}

await runWorkerProgram(async ({ config, connection, db, providers }) => createReintegroWorker({
  connection, namespace: config.TEMPORAL_NAMESPACE, db: fragileRecords(db), providers: fragileProviders(providers),
  workflowBundle: await loadOrBuildWorkflowBundle(), maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
}));
