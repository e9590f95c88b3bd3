import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PayoutOrderPlan, PayoutOrderRequest } from '../../activities/payout-contracts.ts';
import { createPayoutActivities } from '../../activities/payout-activities.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider } from '../support/fake-provider.ts';
import { history } from '../store/refund-records.ts';
import { inContext, letCallsEnd, openScene, payoutRequest, registerPayoutOrder, type RegisteredPayoutOrder } from './activity-scene.ts';
import { failing, givenUpOnce, recordOf, REFUSAL, standingAt } from './payout-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

/** Registers it once more, as a Workflow that begins again does. */
function again({ scene, key }: RegisteredPayoutOrder, over: Partial<PayoutOrderRequest> = {}): Promise<PayoutOrderPlan> {
  return scene.payouts.registerPayoutOrder({ ...payoutRequest(scene), ...key, runId: 'run_2', ...over });
}

/** When the records say that it came to a status for the first time, ISO-8601. */
async function firstAt({ key }: RegisteredPayoutOrder, status: string): Promise<string> {
  const rows = await db.selectFrom('transitions').select('at').where('merchant_id', '=', key.merchantId).where('subject_id', '=', key.payoutOrderId).where('to_status', '=', status).orderBy('transition_id').execute();
  return rows[0]?.at.toISOString() ?? 'never';
}

describe('registerPayoutOrder, again', () => {
  it.each(['pending', 'cancelled', 'expired'] as const)('should say that it is %s and that no withdrawal began (P8, I3)', async (status) => {
    const order = await standingAt(db, status);
    expect(await again(order)).toMatchObject({ lastSend: 1, standing: { status, needsAttention: false, withdrawalBegunAt: null } });
  });

  it.each(['pending_confirmation', 'withdrawn', 'reversed'] as const)('should say that it is %s and when the withdrawal began (P2, I3)', async (status) => {
    const order = await standingAt(db, status);
    expect((await again(order)).standing).toEqual({ status, needsAttention: false, withdrawalBegunAt: await firstAt(order, 'pending_confirmation') });
  });

  it('should say when the withdrawal began first, whatever was written down since: the window is not opened anew (P2, O3)', async () => {
    const order = await standingAt(db, 'pending_confirmation');
    const { standing } = await again(order);
    for (const reason of ['one', 'two']) await order.scene.payouts.recordPayoutAct({ ...order.key, act: 'retried', actor: 'key_operator', reason });
    expect(await history(db, order.key.merchantId, order.key.payoutOrderId)).toHaveLength(5);
    expect((await again(order)).standing).toEqual(standing);
    expect(standing?.withdrawalBegunAt).toBe(await firstAt(order, 'pending_confirmation'));
  });

  it('should say whether a case is open (O1)', async () => {
    const order = await standingAt(db, 'pending');
    await order.scene.payouts.openCase({ ...order.key, kind: 'contradiction' });
    expect((await again(order)).standing).toEqual({ status: 'pending', needsAttention: true, withdrawalBegunAt: null });
  });

  it('should say of one without a reference which send to look for, and nothing else (S4)', async () => {
    const [untouched, sent, twice, refused] = [await registerPayoutOrder(db), await registerPayoutOrder(db), await givenUpOnce(db), await registerPayoutOrder(db)];
    sent.scene.provider.after.createPayoutOrder.push(failing('unknown'));
    await sent.scene.payouts.issueReference(sent.send);
    twice.scene.provider.before.createPayoutOrder.push(failing('unknown'));
    await twice.scene.payouts.issueReference({ ...twice.send, sendNumber: 2 });
    refused.scene.provider.before.createPayoutOrder.push(REFUSAL);
    await refused.scene.payouts.issueReference(refused.send);
    const plans = [await again(untouched), await again(sent), await again(twice), await again(refused)];
    expect(plans.map((plan) => [plan.lastSend, 'standing' in plan])).toEqual([[undefined, false], [1, false], [2, false], [1, false]]);
    // The look for that send is all that a new run needs.
    await letCallsEnd(sent.scene);
    expect(await sent.scene.payouts.findReference(sent.send)).toEqual({ kind: 'settled', status: 'pending' });
    expect(await refused.scene.payouts.findReference(refused.send)).toEqual({ kind: 'declined', status: 'open' });
  });

  it('should name the send that was given up before it left (S4)', async () => {
    const order = await registerPayoutOrder(db);
    expect(await order.scene.payouts.findReference({ ...order.send, sendNumber: 3 })).toEqual({ kind: 'never_sent' });
    expect((await again(order)).lastSend).toBe(3);
  });

  it('should answer the fingerprint on record to another request under its key, and change nothing (R8)', async () => {
    const order = await standingAt(db, 'pending_confirmation');
    const [record, steps] = [await recordOf(order), await history(db, order.key.merchantId, order.key.payoutOrderId)];
    expect((await again(order, { fingerprint: 'other', amountMinor: 9, metadata: {}, requestedBy: 'key_other' })).fingerprint).toBe('f');
    expect(await recordOf(order)).toEqual(record);
    expect(await history(db, order.key.merchantId, order.key.payoutOrderId)).toEqual(steps);
  });

  it('should answer no fingerprint at all when the key stands for nothing: no request equals that (R8)', async () => {
    const order = await standingAt(db, 'pending');
    await db.deleteFrom('idempotency_keys').where('merchant_id', '=', order.key.merchantId).execute();
    expect((await again(order)).fingerprint).toBe('');
  });
});

describe('how often a provider is asked of its own accord', () => {
  it.each([[null, undefined], [90_000, 90_000]])('should be as the deployment says of the provider: %j (P8)', async (configured, pollMs) => {
    const provider = createFakeProvider([]);
    const scene = await openScene(db, [], provider);
    const entry = { adapter: provider.adapter, settleDelayMs: 1000, maxSends: 3, timeoutMs: 1000, confirmationWindowMs: 180_000, pollMs: configured };
    const activities = inContext(createPayoutActivities({ db, providers: createProviderRegistry([entry], { [scene.merchantId]: { acme: 'secret' } }) }));
    const plan = await activities.registerPayoutOrder({ ...payoutRequest(scene), workflowId: 'payout:p', runId: 'run_1' });
    expect(plan.pollMs).toBe(pollMs);
    // Histories hold what was answered: a field more for nobody would be one in every history.
    expect('pollMs' in plan).toBe(configured !== null);
  });
});
