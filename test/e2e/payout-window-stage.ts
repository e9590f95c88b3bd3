import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { payoutOrderWorkflowId } from '../../workflows/ids.ts';
import { call } from '../support/http-call.ts';
import { createDatabase, SHARED_POSTGRES } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { secondsOfTimers, timerDueMs } from '../workflow/read-history.ts';
import type { HistoryEvent } from '../workflow/stage.ts';
import { merchantBackend, PATIENCE, readPayoutOrder } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

/** The confirmation window, the same for the provider and for us, seconds: long enough to kill something well inside it. */
export const WINDOW_SECONDS = 6;

/** Every payout order of the stage, minor units. */
export const AMOUNT = 3000;

const FAR_AHEAD = 4_000_000_000;

const nativeSchema = z.object({ status: z.string(), needs_attention: z.boolean(), cases: z.array(z.object({ kind: z.string() })) });

/** One step of a payout order on record. */
interface Step {
  readonly to: string;
  readonly at: Date;
}

/** API, worker, Temporal server and sandbox as processes of their own, on PostgreSQL, and those who look at payout orders in them. */
export interface WindowStage {
  readonly product: Product;
  readonly backend: MerchantBackend;
  readonly provider: ProviderSide;
  readonly db: Database;
  readonly temporal: TemporalClient;
  stop(): Promise<void>;
}

/** Starts it; `null` where PostgreSQL is not installed. */
export async function windowStage(): Promise<WindowStage | null> {
  const shared = process.env[SHARED_POSTGRES];
  if (shared === undefined) return null;
  const url = await createDatabase({ url: shared }, `windows_${randomUUID()}`);
  const product = await startProduct({ databaseUrl: url, settings: { SYNC_WAIT_MS: '2500', CONFIRMATION_WINDOW_SECONDS: String(WINDOW_SECONDS) } });
  try {
    const temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
    const db = openDatabase({ kind: 'postgres', url, poolSize: 2 });
    return {
      product, db, temporal, backend: merchantBackend(product.apiUrl), provider: providerSide(product.sandboxUrl),
      async stop() {
        await temporal.close();
        await product.stop();
        await db.destroy();
      },
    };
  } catch (error) {
    await product.stop();
    throw error;
  }
}

/** Creates a payout order whose reference can be collected, until `expiresAt` (unix seconds), and answers its id. */
export async function issued({ product }: WindowStage, expiresAt: number = FAR_AHEAD): Promise<string> {
  const body = {
    allowed_payout_methods: ['cash'], amount: AMOUNT, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: expiresAt,
  };
  const order = readPayoutOrder(await call('POST', `${product.apiUrl}/payout_orders`, { key: 'key_demo', body }));
  expect(order.status).toBe('pending');
  return order.id;
}

/** Begins a withdrawal, and waits until its window is being counted. With `isVoidable` the cash is not out yet. */
export async function withdraw(stage: WindowStage, id: string, isVoidable = false): Promise<void> {
  await atTill(stage, id, 'withdrawal', { voidable: isVoidable });
  await vi.waitFor(async () => expect(windowTimers(await history(stage, id))).toBe(1), PATIENCE);
  expect(await stage.backend.payoutOrder(id)).toMatchObject({ status: 'pending_confirmation' });
}

/** Acts at the till, which must allow it. */
export async function atTill({ product }: WindowStage, id: string, act: 'withdrawal' | 'confirmation' | 'reversal', body: object = {}): Promise<void> {
  expect(await call('POST', `${product.sandboxUrl}/sandbox/payout_orders/${id}/${act}`, { body })).toMatchObject({ status: 200 });
}

/** From now on nothing that the provider announces of a payout order gets through: only our own clock makes us ask. */
export function loseWebhooks(stage: WindowStage, id: string): Promise<void> {
  return arm(stage, { operation: 'webhook', mode: 'drop', times: 100, payout_id: id });
}

/** The provider's answer to the next cancellation of a payout order stays out: it is executed (`timeout`), or is not (`hang`). */
export function leaveVoidUnanswered(stage: WindowStage, id: string, mode: 'timeout' | 'hang'): Promise<void> {
  return arm(stage, { operation: 'payout.cancel', mode, payout_id: id });
}

async function arm({ product }: WindowStage, fault: object): Promise<void> {
  expect(await call('POST', `${product.sandboxUrl}/sandbox/faults`, { body: fault })).toMatchObject({ status: 200 });
}

/** Waits until the provider has taken all those cancellations. */
export async function untilVoidsAreOut({ product }: WindowStage): Promise<void> {
  const armed = async (): Promise<unknown> => (await call('GET', `${product.sandboxUrl}/sandbox/faults`)).body;
  await vi.waitFor(async () => expect(JSON.stringify(await armed())).not.toContain('payout.cancel'), PATIENCE);
}

/** Waits until a moment, unix milliseconds. */
export async function untilMoment(atMs: number): Promise<void> {
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThanOrEqual(atMs), { ...PATIENCE, interval: 20 });
}

/** The confirmation window as it was counted: when it ended by Temporal's clock, and the steps that the records have; unix milliseconds. */
export async function countedWindow(stage: WindowStage, id: string): Promise<{ readonly timers: number; readonly dueMs: number; readonly begunMs: number; readonly endedMs: number }> {
  const events = await history(stage, id);
  const steps = await stepsOf(stage, id);
  const timeOf = (status: string): number => steps.find(({ to }) => to === status)?.at.getTime() ?? Number.NaN;
  return { timers: windowTimers(events), dueMs: timerDueMs(events, WINDOW_SECONDS), begunMs: timeOf('pending_confirmation'), endedMs: timeOf('withdrawn') };
}

/**
 * Waits until a payout order is at the end of a path through its statuses, and expects the records to tell that path and nothing else: one event
 * for each step, no case, nobody called for help; and money moved at the provider and in our books where the path ends in a withdrawal, once (I1, I2, I6).
 */
export async function expectPath(stage: WindowStage, id: string, path: readonly string[]): Promise<void> {
  const end = path.at(-1) ?? '';
  const native = async (): Promise<unknown> => nativeSchema.parse((await call('GET', `${stage.product.apiUrl}/v1/payout_orders/${id}`, { key: 'key_demo' })).body);
  await vi.waitFor(async () => expect(await native()).toEqual({ status: end, needs_attention: false, cases: [] }), PATIENCE);
  expect(await workflowStatus(stage, id)).toBe('COMPLETED');
  expect((await stepsOf(stage, id)).map(({ to }) => to)).toEqual(path);
  const events = await stage.db.selectFrom('events').select('type').where('subject_id', '=', id).orderBy('transition_id').execute();
  expect(events.map(({ type }) => type)).toEqual(path.map((status) => `payout_order.${status}`));
  expect(await native()).toEqual({ status: end, needs_attention: false, cases: [] });
  await expectMoved(stage.provider, stage.backend, { payoutOrderId: id }, end === 'withdrawn' ? [AMOUNT] : []);
}

function stepsOf({ db }: WindowStage, id: string): Promise<readonly Step[]> {
  return db.selectFrom('transitions').select(['to_status as to', 'at']).where('subject', '=', 'payout_order').where('subject_id', '=', id).orderBy('transition_id').execute();
}

async function history({ temporal }: WindowStage, id: string): Promise<readonly HistoryEvent[]> {
  return (await temporal.client.workflow.getHandle(payoutOrderWorkflowId('merchant_demo', id)).fetchHistory()).events ?? [];
}

/** The Workflow comes to its end right after the records. */
async function workflowStatus({ temporal }: WindowStage, id: string): Promise<string> {
  const handle = temporal.client.workflow.getHandle(payoutOrderWorkflowId('merchant_demo', id));
  return vi.waitFor(async () => {
    const { status } = await handle.describe();
    expect(status.name).not.toBe('RUNNING');
    return status.name;
  }, PATIENCE);
}

function windowTimers(events: readonly HistoryEvent[]): number {
  return secondsOfTimers(events).filter((seconds) => seconds === WINDOW_SECONDS).length;
}
