import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Database } from '../../src/store/database.ts';
import { endIssue } from '../../src/store/payout-orders/settle.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider } from '../support/fake-provider.ts';
import { history } from '../store/refund-records.ts';
import { hold, interrupted, letCallsEnd, registerPayoutOrder, type Death, type RegisteredPayoutOrder, type Scene } from './activity-scene.ts';
import { executeLate, failing, givenUpOnce, kill, recordOf, REFUSAL, sentAgo } from './payout-scene.ts';

const MINUTE_MS = 60_000;

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

/** The provider executes the earlier send while it refuses the coming one. */
function refuseAfterLateExecution(order: RegisteredPayoutOrder): void {
  order.scene.provider.before.createPayoutOrder.push(async () => {
    await executeLate(order);
    REFUSAL();
  });
}

function sent(order: RegisteredPayoutOrder, sendNumber: number) {
  return { ...order.send, sendNumber };
}

describe('a refusal of a send after one whose outcome is unknown', () => {
  it('should take over what the earlier send made meanwhile, and never be believed (S4, P1)', async () => {
    const order = await givenUpOnce(db);
    refuseAfterLateExecution(order);
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'settled', status: 'pending' });
    expect(await recordOf(order)).toMatchObject({ status: 'pending', providerPayoutOrderId: order.scene.provider.payoutOrders[0]?.providerPayoutOrderId });
    expect(order.scene.provider.payoutOrders).toHaveLength(1);
  });

  it('should not even be sent when the earlier one was executed after its look (S4, I1)', async () => {
    const order = await givenUpOnce(db);
    await executeLate(order);
    const { createPayoutOrder } = order.scene.provider.calls;
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'settled', status: 'pending' });
    expect(order.scene.provider.calls.createPayoutOrder).toBe(createPayoutOrder);
    expect(order.scene.provider.payoutOrders).toHaveLength(1);
  });

  it.each(['unknown', 'not_sent', 'not_found', 'declined'] as const)('should stay unknown while the provider does not show the earlier one: %s (S4)', async (silence) => {
    const order = await givenUpOnce(db);
    refuseAfterLateExecution(order);
    order.scene.provider.before.findPayoutOrder.push(() => undefined, failing(silence));
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'unknown' });
    expect(await recordOf(order)).toMatchObject({ status: 'open', statusDetail: 'verifying' });
    await letCallsEnd(order.scene);
    expect(await order.scene.payouts.findReference(sent(order, 2))).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should send nothing while the provider does not say what became of the earlier one (S4)', async () => {
    const order = await givenUpOnce(db);
    order.scene.provider.before.findPayoutOrder.push(failing('unknown'));
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'not_sent', retryAfterMs: null });
    expect(order.scene.provider.payoutOrders).toHaveLength(0);
    expect(await order.scene.payouts.issueReference(sent(order, 3))).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should stay unknown while the provider has the earlier one and has not issued it (P1)', async () => {
    const order = await givenUpOnce(db);
    refuseAfterLateExecution(order);
    order.scene.provider.before.findPayoutOrder.push(() => undefined, () => {
      for (const made of order.scene.provider.payoutOrders) made.status = 'open';
    });
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'unknown' });
    expect((await recordOf(order)).statusDetail).toBe('verifying');
  });

  it('should be on record for ever when the provider surely has none (P1)', async () => {
    const order = await givenUpOnce(db);
    order.scene.provider.before.createPayoutOrder.push(REFUSAL);
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'declined', status: 'open' });
    expect(await recordOf(order)).toMatchObject({ status: 'open', statusDetail: 'customer_blocked' });
    expect(await order.scene.payouts.findReference(sent(order, 2))).toEqual({ kind: 'declined', status: 'open' });
    const { createPayoutOrder } = order.scene.provider.calls;
    expect(await order.scene.payouts.issueReference(sent(order, 3))).toEqual({ kind: 'declined', status: 'open' });
    expect(order.scene.provider.calls.createPayoutOrder).toBe(createPayoutOrder);
  });

  it('should be believed at once of a first send, or after sends that never left (P1)', async () => {
    const order = await registerPayoutOrder(db);
    order.scene.provider.before.createPayoutOrder.push(failing('not_sent'), REFUSAL);
    await order.scene.payouts.issueReference(order.send);
    expect(await order.scene.payouts.issueReference(sent(order, 2))).toEqual({ kind: 'declined', status: 'open' });
    expect(order.scene.provider.calls.findPayoutOrder).toBe(0);
  });
});

describe('a late worker whose send was given up', () => {
  it.each([1, 2])('should say nothing of the payout order when send %i is refused after it was fenced (S4)', async (sendNumber) => {
    const order = sendNumber === 1 ? await registerPayoutOrder(db) : await givenUpOnce(db);
    const held = hold(order.scene.provider, 'createPayoutOrder', REFUSAL);
    const late = order.scene.payouts.issueReference(sent(order, sendNumber));
    await held.reached;
    await letCallsEnd(order.scene);
    expect(await order.scene.payouts.findReference(sent(order, sendNumber))).toEqual({ kind: 'absent' });
    held.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    expect((await recordOf(order)).statusDetail).toBe('verifying');
    expect(await order.scene.payouts.issueReference(sent(order, sendNumber + 1))).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should find what the next send made, when it is refused after that was issued (S4, P1)', async () => {
    const order = await givenUpOnce(db);
    const held = hold(order.scene.provider, 'createPayoutOrder', REFUSAL);
    const late = order.scene.payouts.issueReference(sent(order, 2));
    await held.reached;
    await letCallsEnd(order.scene);
    await order.scene.payouts.findReference(sent(order, 2));
    await order.scene.payouts.issueReference(sent(order, 3));
    const steps = await history(db, order.key.merchantId, order.key.payoutOrderId);
    held.letGo();
    expect(await late).toEqual({ kind: 'settled', status: 'pending' });
    expect(await history(db, order.key.merchantId, order.key.payoutOrderId)).toEqual(steps);
    expect(order.scene.provider.payoutOrders).toHaveLength(1);
  });
});

/** A handle on which the process dies where it would write down that a call has ended. */
function dyingAtEndOfCall(scene: Scene): Scene {
  return scene.on(new Proxy(db, {
    get: (target, name) => {
      if (name === 'updateTable') return kill;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  }));
}

function inTransaction(death: Death): (scene: Scene) => Scene {
  return (scene) => scene.on(interrupted(db, death));
}

function inLook(nth: 1 | 2): (scene: Scene) => Scene {
  return (scene) => {
    scene.provider.before.findPayoutOrder.push(...(nth === 1 ? [kill] : [() => undefined, kill]));
    return scene;
  };
}

const DEATHS: readonly (readonly [string, (scene: Scene) => Scene])[] = [
  ['in the look before the send', inLook(1)],
  ['before its commit', inTransaction({ transaction: 1, moment: 'before' })],
  ['in its commit', inTransaction({ transaction: 1, moment: 'inside' })],
  ['between commit and call', inTransaction({ transaction: 1, moment: 'after' })],
  ['after the refusal', dyingAtEndOfCall],
  ['in the look after the refusal', inLook(2)],
  ['after that look', inTransaction({ transaction: 2, moment: 'before' })],
  ['while it settles', inTransaction({ transaction: 2, moment: 'inside' })],
  ['after it settled', inTransaction({ transaction: 2, moment: 'after' })],
];

describe.each(DEATHS)('a worker that dies %s', (_, dying) => {
  it('should not hide what the earlier send made while this one was refused (S4, I1, P1)', async () => {
    const order = await givenUpOnce(db);
    refuseAfterLateExecution(order);
    await expect(dying(order.scene).payouts.issueReference(sent(order, 2))).rejects.toThrow('killed');
    await letCallsEnd(order.scene);
    order.scene.provider.before.findPayoutOrder.length = 0;
    const found = await order.scene.payouts.findReference(sent(order, 2));
    // Where it died before its call, the earlier send was not executed yet: the next one meets it.
    const known = found.kind === 'absent' ? await order.scene.payouts.issueReference(sent(order, 3)) : found;
    expect(known).toEqual({ kind: 'settled', status: 'pending' });
    expect(await order.status()).toBe('pending');
    expect(order.scene.provider.payoutOrders).toHaveLength(1);
  });

  it('should not make a refusal of what was never issued forgotten for good (P1)', async () => {
    const order = await givenUpOnce(db);
    order.scene.provider.before.createPayoutOrder.push(REFUSAL, REFUSAL);
    await expect(dying(order.scene).payouts.issueReference(sent(order, 2))).rejects.toThrow('killed');
    await letCallsEnd(order.scene);
    order.scene.provider.before.findPayoutOrder.length = 0;
    const found = await order.scene.payouts.findReference(sent(order, 2));
    expect(['absent', 'declined']).toContain(found.kind);
    expect(await order.scene.payouts.issueReference(sent(order, 3))).toEqual({ kind: 'declined', status: 'open' });
    expect((await recordOf(order)).statusDetail).toBe('customer_blocked');
    expect(order.scene.provider.payoutOrders).toHaveLength(0);
  });
});

describe('a provider that has our payout order and has issued no reference', () => {
  /** Sent so long ago, in milliseconds; the provider answers `open`. */
  async function openFor(ms: number): Promise<RegisteredPayoutOrder> {
    const order = await registerPayoutOrder(db, createFakeProvider([], 'balance', 'open'));
    expect(await order.scene.payouts.issueReference(order.send)).toEqual({ kind: 'unknown' });
    await sentAgo(order.scene, ms);
    return order;
  }

  it('should be waited for as long again as it has taken, and never be asked for a second one (P1, S4)', async () => {
    const order = await openFor(4 * MINUTE_MS);
    const answer = await order.scene.payouts.findReference(order.send);
    if (answer.kind !== 'too_early') throw new Error(`it was ${answer.kind}`);
    expect(answer.waitMs).toBeGreaterThanOrEqual(4 * MINUTE_MS);
    expect(answer.waitMs).toBeLessThan(5 * MINUTE_MS);
    expect(await recordOf(order)).toMatchObject({ status: 'open', statusDetail: 'verifying' });
    for (const made of order.scene.provider.payoutOrders) made.status = 'pending';
    expect(await order.scene.payouts.findReference(order.send)).toEqual({ kind: 'settled', status: 'pending' });
    expect(order.scene.provider.payoutOrders).toHaveLength(1);
  });

  it('should be waited for no shorter than the settle delay', async () => {
    // Permitted just now, its call ended long ago: only the provider's word is left to wait for.
    const order = await openFor(MINUTE_MS);
    await db.updateTable('payout_orders').set({ sent_at: new Date() }).where('merchant_id', '=', order.key.merchantId).execute();
    expect(await order.scene.payouts.findReference(order.send)).toEqual({ kind: 'too_early', waitMs: 1_000 });
  });

  it.each([[9.9, 'too_early', 'verifying'], [10.1, 'declined', 'never_issued_by_provider']])('should be taken at its word after ten minutes: at %f it is %s (P1)', async (minutes, kind, statusDetail) => {
    const order = await openFor(minutes * MINUTE_MS);
    expect(await order.scene.payouts.findReference(order.send)).toMatchObject({ kind });
    expect(await recordOf(order)).toMatchObject({ status: 'open', statusDetail });
  });

  it('should be taken at its word by the last look, however early that is (P1)', async () => {
    const order = await openFor(MINUTE_MS);
    expect(await order.scene.payouts.findReference({ ...order.send, isLast: true })).toEqual({ kind: 'declined', status: 'open' });
    expect((await recordOf(order)).statusDetail).toBe('never_issued_by_provider');
  });

  it('should be followed by the last look when it issued the reference after all, and else be said to have none (P1)', async () => {
    const [issued, none] = [await openFor(MINUTE_MS), await givenUpOnce(db)];
    for (const made of issued.scene.provider.payoutOrders) made.status = 'pending';
    expect(await issued.scene.payouts.findReference({ ...issued.send, isLast: true })).toEqual({ kind: 'settled', status: 'pending' });
    expect(await none.scene.payouts.findReference({ ...none.send, isLast: true })).toEqual({ kind: 'declined', status: 'open' });
    expect((await recordOf(none)).statusDetail).toBe('never_issued');
  });
});

describe('a payout order that was refused for good', () => {
  it('should stay so when a worker that was given up ends its call, and when nothing was ever sent (P1, S4)', async () => {
    const [order, unsent] = [await givenUpOnce(db), await registerPayoutOrder(db)];
    for (const { scene, send } of [order, unsent]) expect(await scene.payouts.findReference({ ...send, isLast: true })).toEqual({ kind: 'declined', status: 'open' });
    await endIssue(db, order.key, 1);
    for (const one of [order, unsent]) expect(await recordOf(one)).toMatchObject({ status: 'open', statusDetail: 'never_issued' });
  });
});
