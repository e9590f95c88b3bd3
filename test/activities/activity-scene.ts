import { randomUUID } from 'node:crypto';

import { MockActivityEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';

import type { RefundActivities, SubmitRefundInput } from '../../activities/contracts.ts';
import type { PayoutActivities, PayoutOrderRef, PayoutOrderRequest } from '../../activities/payout-contracts.ts';
import { createPayoutActivities } from '../../activities/payout-activities.ts';
import { createRefundActivities } from '../../activities/refund-activities.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { createFakeProvider, type FakeCharge, type FakeProvider } from '../support/fake-provider.ts';
import { withTransactions } from '../support/with-transactions.ts';

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
  /** The same merchant, at a provider that shows something else. */
  at(provider: FakeProvider): Scene;
  /** The server gave the running attempts up. */
  giveUp(): void;
}

/** Activities that run in a mocked Activity context. */
export function inContext<T extends object>(activities: T, environment = silentEnvironment()): T {
  return new Proxy(activities, {
    get: (target, name) => {
      const activity = Reflect.get(target, name) as (input: unknown) => Promise<unknown>;
      return (input: unknown) => environment.run(activity, input);
    },
  });
}

/** Failures are what these tests provoke: their log lines would only hide those of tests that fail. */
function silentEnvironment(): MockActivityEnvironment {
  const silent = (): void => undefined;
  return new MockActivityEnvironment({}, { logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent } });
}

function sceneOf(db: Database, merchantId: string, provider: FakeProvider): Scene {
  const environment = silentEnvironment();
  const entry = { adapter: provider.adapter, settleDelayMs: 1000, maxSends: 3, timeoutMs: 1000, confirmationWindowMs: 180_000, pollMs: null };
  const deps = { db, providers: createProviderRegistry([entry], { [merchantId]: { acme: 'secret' } }) };
  return {
    db, merchantId, provider, refunds: inContext(createRefundActivities(deps), environment), payouts: inContext(createPayoutActivities(deps), environment),
    on: (other) => sceneOf(other, merchantId, provider),
    at: (other) => sceneOf(db, merchantId, other),
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

/** A payout order on record, and how to ask for its reference. */
export interface RegisteredPayoutOrder {
  readonly scene: Scene;
  readonly key: PayoutOrderRef;
  readonly send: PayoutOrderRef & { readonly sendNumber: number };
  /** The status on record. */
  readonly status: () => Promise<PayoutOrderStatus | undefined>;
}

/** Registers a payout order of a new merchant; what is answered to that. */
export async function registerPayoutOrder(db: Database, provider?: FakeProvider): Promise<RegisteredPayoutOrder> {
  const scene = await openScene(db, [], provider);
  const key = { workflowId: 'payout:p', runId: 'run_1', merchantId: scene.merchantId, payoutOrderId: `p-${scene.merchantId}` };
  const plan = await scene.payouts.registerPayoutOrder({ ...payoutRequest(scene), ...key });
  expect(plan).toEqual({ provider: 'acme', confirmationWindowMs: 180_000, protocol: { idempotency: 'reference', settleDelayMs: 1000, maxSends: 3 }, fingerprint: 'f' });
  return { scene, key, send: { ...key, sendNumber: 1 }, status: async () => (await readPayoutOrder(db, key.merchantId, key.payoutOrderId))?.status };
}

/** What is asked for when a payout order is registered. */
export function payoutRequest({ merchantId }: Scene): PayoutOrderRequest {
  return {
    merchantId, payoutOrderId: `p-${merchantId}`, amountMinor: 3_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Referencia',
    expiresAt: '2030-01-01T00:00:00.000Z', metadata: { shop: 'norte' }, idempotencyKey: 'k', fingerprint: 'f', requestedBy: 'key_test',
  };
}

/** Holds the coming call of an operation at the provider until it is let go; `reached` resolves when it is there. */
export function hold(provider: FakeProvider, operation: 'submitRefund' | 'createPayoutOrder', then: () => unknown = () => undefined): { readonly reached: Promise<void>; letGo(): void } {
  let letGo: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    provider.before[operation].push(async () => {
      resolve();
      await released;
      await then();
    });
  });
  return { reached, letGo };
}

/** Lets so much time pass since every send, and since the end of every call, that a look may conclude something. */
export async function letCallsEnd({ db, merchantId }: Scene): Promise<void> {
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const table of ['legs', 'payout_orders'] as const) {
    await db.updateTable(table).set({ sent_at: longAgo }).where('merchant_id', '=', merchantId).where('sent_at', 'is not', null).execute();
    await db.updateTable(table).set({ call_ended_at: longAgo }).where('merchant_id', '=', merchantId).where('call_ended_at', 'is not', null).execute();
  }
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
  return withTransactions(db, execute);
}

/** What the books say has moved: Σ of movements, and how many. */
export async function booked({ db, merchantId }: Scene): Promise<{ readonly count: number; readonly totalMinor: number }> {
  const rows = await db.selectFrom('money_movements').select('amount_minor').where('merchant_id', '=', merchantId).execute();
  return { count: rows.length, totalMinor: rows.reduce((sum, row) => sum + row.amount_minor, 0) };
}
