import { randomUUID } from 'node:crypto';

import { MockActivityEnvironment } from '@temporalio/testing';

import type { PayoutActivities, RefundActivities, SubmitRefundInput } from '../../activities/contracts.ts';
import { createPayoutActivities } from '../../activities/payout-activities.ts';
import { createRefundActivities } from '../../activities/refund-activities.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { createFakeProvider, type FakeCharge, type FakeProvider } from '../support/fake-provider.ts';

/** A merchant with a provider of its own, and the Activities that act for it. */
export interface Scene {
  readonly db: Database;
  readonly merchantId: string;
  readonly provider: FakeProvider;
  /** The Activities, each run in a mocked Activity context. */
  readonly refunds: RefundActivities;
  readonly payouts: PayoutActivities;
  /** The same Activities on another database handle: one that dies. */
  on(db: Database): Scene;
  /** The server gave the running attempts up. */
  giveUp(): void;
}

function inContext<T extends object>(environment: MockActivityEnvironment, activities: T): T {
  return new Proxy(activities, {
    get: (target, name) => {
      const activity = Reflect.get(target, name) as (input: unknown) => Promise<unknown>;
      return (input: unknown) => environment.run(activity, input);
    },
  });
}

function sceneOf(db: Database, merchantId: string, provider: FakeProvider): Scene {
  // Failures are what these tests provoke: their log lines would only hide those of tests that fail.
  const silent = (): void => undefined;
  const environment = new MockActivityEnvironment({}, { logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent } });
  const entry = { adapter: provider.adapter, settleDelayMs: 1000, maxSends: 3, timeoutMs: 1000, confirmationWindowMs: 180_000 };
  const deps = { db, providers: createProviderRegistry([entry], { [merchantId]: { acme: 'secret' } }) };
  return {
    db, merchantId, provider, refunds: inContext(environment, createRefundActivities(deps)), payouts: inContext(environment, createPayoutActivities(deps)),
    on: (other) => sceneOf(other, merchantId, provider),
    giveUp: () => environment.cancel(),
  };
}

/** Opens a scene with a new merchant, whose order is on record. */
export async function openScene(db: Database, charges: readonly FakeCharge[] = [{ chargeId: 'chg_1', amountMinor: 10_000 }], provider: FakeProvider = createFakeProvider(charges)): Promise<Scene> {
  const merchantId = `mer_${randomUUID()}`;
  await saveMerchant(db, { merchantId, name: 'Tienda', provider: 'acme' });
  await saveOrder(db, merchantId, 'acme', provider.orderAsIs(), new Date());
  return sceneOf(db, merchantId, provider);
}

/** Reserves a refund of `chg_1`; what to submit for it. */
export async function reserveLeg(scene: Scene, refundId: string, amountMinor?: number): Promise<SubmitRefundInput> {
  const workflow = { workflowId: `refund:${refundId}`, runId: 'run_1' };
  const reserved = await scene.refunds.reserveRefund({
    ...workflow, merchantId: scene.merchantId, refundId, orderId: 'ord_1', chargeId: 'chg_1', idempotencyKey: refundId, fingerprint: 'f', requestedBy: 'key_test',
    ...(amountMinor === undefined ? {} : { amountMinor }),
  });
  if (reserved.kind !== 'reserved') throw new Error(`not reserved: ${JSON.stringify(reserved)}`);
  return { ...workflow, merchantId: scene.merchantId, refundId, legId: `${refundId}:chg_1`, sendNumber: 1 };
}

/** Lets so much time pass since every send that no lost worker's call can still take effect. */
export async function letCallsEnd({ db, merchantId }: Scene): Promise<void> {
  const sent_at = new Date(Date.now() - 3_600_000);
  await db.updateTable('legs').set({ sent_at }).where('merchant_id', '=', merchantId).where('sent_at', 'is not', null).execute();
  await db.updateTable('payout_orders').set({ sent_at }).where('merchant_id', '=', merchantId).where('sent_at', 'is not', null).execute();
}

/** Where a process dies in its n-th transaction (from 1): before it, inside it so that it is rolled back, or after its commit. */
export interface Death {
  readonly transaction: number;
  readonly moment: 'before' | 'inside' | 'after';
}

/** A handle on the database that runs something at one moment of one transaction; a throw there is a death. */
export function interrupted(db: Database, { transaction, moment }: Death, interrupt: () => unknown = () => { throw new Error('killed'); }): Database {
  let count = 0;
  const execute = async (work: (tx: never) => Promise<unknown>): Promise<unknown> => {
    count += 1;
    if (count !== transaction) return db.transaction().execute(work as never);
    if (moment === 'before') await interrupt();
    const answer = await db.transaction().execute(async (tx) => {
      const done = await work(tx as never);
      if (moment === 'inside') await interrupt();
      return done;
    });
    if (moment === 'after') await interrupt();
    return answer;
  };
  return new Proxy(db, {
    get: (target, name) => {
      if (name === 'transaction') return () => ({ execute });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What the books say has moved: Σ of movements, and how many. */
export async function booked({ db, merchantId }: Scene): Promise<{ readonly count: number; readonly totalMinor: number }> {
  const rows = await db.selectFrom('money_movements').select('amount_minor').where('merchant_id', '=', merchantId).execute();
  return { count: rows.length, totalMinor: rows.reduce((sum, row) => sum + row.amount_minor, 0) };
}
