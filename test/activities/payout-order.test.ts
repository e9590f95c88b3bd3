import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AskCause } from '../../activities/payout-contracts.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { ProviderError, type ProviderErrorKind } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, type FakeProvider } from '../support/fake-provider.ts';
import { history } from '../store/refund-records.ts';
import { booked, interrupted, letCallsEnd, registerPayoutOrder, type Death, type RegisteredPayoutOrder } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

function failing(kind: ProviderErrorKind, details: ConstructorParameters<typeof ProviderError>[2] = {}): () => never {
  return () => {
    throw new ProviderError(kind, kind, details);
  };
}

function registered(provider?: FakeProvider): Promise<RegisteredPayoutOrder> {
  return registerPayoutOrder(db, provider);
}

/** A payout order that is pending, or further, on record and at the provider. */
async function issued(status: PayoutOrderStatus = 'pending'): Promise<RegisteredPayoutOrder> {
  const order = await registered();
  await order.scene.payouts.issueReference(order.send);
  tell(order, status);
  if (status !== 'pending') await order.scene.payouts.followPayoutOrder({ ...order.key, cause: 'fact', actor: 'rail' });
  expect(await order.status()).toBe(status);
  return order;
}

/** The provider now tells this status. */
function tell({ scene }: RegisteredPayoutOrder, status: PayoutOrderStatus): void {
  for (const order of scene.provider.payoutOrders) order.status = status;
}

describe('issueReference', () => {
  it('should make the payout order pending with the provider\'s id, and ask for it once (P1)', async () => {
    const { scene, key, send } = await registered();
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'settled', status: 'pending' });
    expect(await readPayoutOrder(db, key.merchantId, key.payoutOrderId)).toMatchObject({ status: 'pending', providerPayoutOrderId: `prov_${key.payoutOrderId}_1` });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
    expect(scene.provider.calls.createPayoutOrder).toBe(1);
  });

  it('should leave it open for ever when the provider refused, saying why (P1)', async () => {
    const { scene, key, send } = await registered();
    scene.provider.before.createPayoutOrder.push(failing('declined', { providerCode: 'customer_blocked' }));
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'declined', status: 'open' });
    expect(await readPayoutOrder(db, key.merchantId, key.payoutOrderId)).toMatchObject({ status: 'open', statusDetail: 'customer_blocked' });
    expect(await history(db, key.merchantId, key.payoutOrderId)).toHaveLength(1);
  });

  it('should say that nothing was sent, with the pause asked for, and may then send again (S4)', async () => {
    const { scene, send } = await registered();
    scene.provider.before.createPayoutOrder.push(failing('not_sent', { retryAfterMs: 9000 }));
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'not_sent', retryAfterMs: 9000 });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
  });

  it.each(['unknown', 'not_found'] as const)('should find by our own id what a lost answer hid, and never create it twice (S4, P1): %s', async (kind) => {
    const { scene, send } = await registered();
    scene.provider.after.createPayoutOrder.push(failing(kind));
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'settled', status: 'pending' });
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'settled', status: 'pending' });
    expect(scene.provider.payoutOrders).toHaveLength(1);
  });

  it('should be asked for again only when the provider surely has none (S4)', async () => {
    const { scene, send } = await registered();
    scene.provider.before.createPayoutOrder.push(failing('unknown'));
    await scene.payouts.issueReference(send);
    await letCallsEnd(scene);
    scene.provider.before.findPayoutOrder.push(failing('unknown'));
    await expect(scene.payouts.findReference(send)).rejects.toMatchObject({ type: 'Provider.unknown' });
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'absent' });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should wait for the provider that answers `open`, and take over what it became (P1)', async () => {
    const order = await registered(createFakeProvider([], 'balance', 'open'));
    expect(await order.scene.payouts.issueReference(order.send)).toEqual({ kind: 'unknown' });
    tell(order, 'pending');
    await letCallsEnd(order.scene);
    expect(await order.scene.payouts.findReference(order.send)).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should stay open for ever when the provider made it and never issued the reference (P1)', async () => {
    const { scene, key, send } = await registered(createFakeProvider([], 'balance', 'open'));
    await scene.payouts.issueReference(send);
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'declined', status: 'open' });
    expect(await readPayoutOrder(db, key.merchantId, key.payoutOrderId)).toMatchObject({ status: 'open', statusDetail: 'never_issued_by_provider' });
  });

  it('should not ask once the server gave the attempt up (S4)', async () => {
    const { scene, send } = await registered();
    scene.giveUp();
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'not_sent', retryAfterMs: null });
    expect(scene.provider.calls.createPayoutOrder).toBe(0);
  });

  it.each<readonly [string, Death, readonly string[]]>([
    ['before its commit', { transaction: 1, moment: 'before' }, ['never_sent']],
    ['in its commit', { transaction: 1, moment: 'inside' }, ['never_sent']],
    ['between commit and call', { transaction: 1, moment: 'after' }, ['too_early', 'absent']],
    ['after the answer', { transaction: 2, moment: 'before' }, ['settled']],
    ['while it settles', { transaction: 2, moment: 'inside' }, ['settled']],
    ['after it settled', { transaction: 2, moment: 'after' }, ['settled']],
  ])('should be created once when the worker dies %s (I1)', async (_, death, looks) => {
    const { scene, send, status } = await registered();
    await expect(scene.on(interrupted(db, death)).payouts.issueReference(send)).rejects.toThrow('killed');
    for (const kind of looks) {
      expect((await scene.payouts.findReference(send)).kind).toBe(kind);
      await letCallsEnd(scene);
    }
    if ((await status()) === 'open') await scene.payouts.issueReference({ ...send, sendNumber: 2 });
    expect(await status()).toBe('pending');
    expect(scene.provider.payoutOrders).toHaveLength(1);
  });

  it('should answer the status as it is when a lost worker settles while the look prepares (S4)', async () => {
    const { scene, send } = await registered();
    const late = interrupted(db, { transaction: 1, moment: 'before' }, () => scene.payouts.issueReference(send));
    expect(await scene.on(late).payouts.findReference(send)).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should answer the status as it is when another send settles while this one prepares (S4)', async () => {
    const { scene, send } = await registered();
    const late = interrupted(db, { transaction: 1, moment: 'before' }, () => scene.payouts.issueReference(send));
    expect(await scene.on(late).payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
    expect(scene.provider.payoutOrders).toHaveLength(1);
  });
});

describe('voidReference', () => {
  const cancel = { cause: 'cancel', actor: 'key_test' } as const;

  it.each(['pending', 'pending_confirmation'] as const)('should cancel what is %s once the provider voided it (P4)', async (from) => {
    const order = await issued(from);
    expect(await order.scene.payouts.voidReference({ ...order.key, ...cancel })).toEqual({ kind: 'settled', status: 'cancelled' });
    expect((await history(db, order.key.merchantId, order.key.payoutOrderId)).at(-1)).toEqual({ to: 'cancelled', detail: 'cancelled', events: ['payout_order.cancelled'] });
    expect(await order.scene.payouts.voidReference({ ...order.key, ...cancel })).toEqual({ kind: 'settled', status: 'cancelled' });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(1);
    expect(await booked(order.scene)).toEqual({ count: 0, totalMinor: 0 });
  });

  it('should call a reference that was voided for its age expired (P2)', async () => {
    const order = await issued();
    expect(await order.scene.payouts.voidReference({ ...order.key, cause: 'expiry', actor: 'expiry' })).toEqual({ kind: 'settled', status: 'expired' });
    expect(order.scene.provider.payoutOrders[0]?.status).toBe('cancelled');
  });

  it('should change nothing when the provider refuses because the cash is out (P4)', async () => {
    const order = await issued();
    tell(order, 'withdrawn');
    expect(await order.scene.payouts.voidReference({ ...order.key, ...cancel })).toEqual({ kind: 'declined', status: 'pending' });
    expect(await order.status()).toBe('pending');
  });

  it('should conclude nothing from a lost answer, and void again or find it voided (P2)', async () => {
    const order = await issued();
    order.scene.provider.after.cancelPayoutOrder.push(failing('unknown'));
    expect(await order.scene.payouts.voidReference({ ...order.key, ...cancel })).toEqual({ kind: 'unknown' });
    expect(await order.status()).toBe('pending');
    expect(await order.scene.payouts.followPayoutOrder({ ...order.key, ...cancel })).toEqual({ kind: 'settled', status: 'cancelled' });
  });

  it('should conclude nothing from a 2xx that does not say voided (S7), and say when nothing was sent', async () => {
    const order = await issued();
    const provider = order.scene.provider;
    const answersPending = { ...provider, adapter: { ...provider.adapter, cancelPayoutOrder: (call: { credential: string }, id: string) => provider.adapter.getPayoutOrder(call, id) } };
    const other = await registered(answersPending);
    await other.scene.payouts.issueReference(other.send);
    expect(await other.scene.payouts.voidReference({ ...other.key, ...cancel })).toEqual({ kind: 'unknown' });
    provider.before.cancelPayoutOrder.push(failing('not_sent', { retryAfterMs: 50 }));
    expect(await order.scene.payouts.voidReference({ ...order.key, ...cancel })).toEqual({ kind: 'not_sent', retryAfterMs: 50 });
  });
});

describe('followPayoutOrder', () => {
  type Row = readonly [ours: PayoutOrderStatus, theirs: PayoutOrderStatus, cause: AskCause, kind: 'settled' | 'contradiction', after: PayoutOrderStatus];
  const FACTS: readonly Row[] = [
    ['pending', 'open', 'fact', 'settled', 'pending'],
    ['pending', 'pending', 'fact', 'settled', 'pending'],
    ['pending', 'pending_confirmation', 'fact', 'settled', 'pending_confirmation'],
    ['pending', 'withdrawn', 'fact', 'settled', 'withdrawn'],
    ['pending', 'reversed', 'fact', 'settled', 'reversed'],
    ['pending', 'cancelled', 'fact', 'settled', 'cancelled'],
    ['pending', 'expired', 'fact', 'settled', 'expired'],
    ['pending_confirmation', 'pending', 'fact', 'settled', 'pending_confirmation'],
    ['pending_confirmation', 'pending_confirmation', 'fact', 'settled', 'pending_confirmation'],
    ['pending_confirmation', 'withdrawn', 'fact', 'settled', 'withdrawn'],
    ['pending_confirmation', 'reversed', 'fact', 'settled', 'reversed'],
    ['pending_confirmation', 'cancelled', 'fact', 'settled', 'cancelled'],
    ['pending_confirmation', 'expired', 'fact', 'contradiction', 'pending_confirmation'],
    ['withdrawn', 'pending_confirmation', 'fact', 'settled', 'withdrawn'],
    ['withdrawn', 'reversed', 'fact', 'contradiction', 'withdrawn'],
    ['withdrawn', 'cancelled', 'fact', 'contradiction', 'withdrawn'],
    ['reversed', 'withdrawn', 'fact', 'contradiction', 'reversed'],
    ['cancelled', 'withdrawn', 'fact', 'contradiction', 'cancelled'],
    ['cancelled', 'pending', 'fact', 'contradiction', 'cancelled'],
    ['expired', 'pending_confirmation', 'fact', 'contradiction', 'expired'],
  ];
  const CAUSES: readonly Row[] = [
    ['pending_confirmation', 'pending_confirmation', 'window_ended', 'settled', 'withdrawn'],
    ['pending_confirmation', 'withdrawn', 'window_ended', 'settled', 'withdrawn'],
    ['pending_confirmation', 'reversed', 'window_ended', 'settled', 'reversed'],
    ['pending_confirmation', 'cancelled', 'window_ended', 'settled', 'cancelled'],
    ['pending_confirmation', 'pending', 'window_ended', 'settled', 'pending_confirmation'],
    ['pending', 'cancelled', 'expiry', 'settled', 'expired'],
    ['pending', 'expired', 'expiry', 'settled', 'expired'],
    ['pending', 'pending_confirmation', 'expiry', 'settled', 'pending_confirmation'],
    ['pending', 'withdrawn', 'expiry', 'settled', 'withdrawn'],
    ['pending', 'pending', 'expiry', 'settled', 'pending'],
    ['pending_confirmation', 'cancelled', 'expiry', 'settled', 'cancelled'],
    ['pending', 'cancelled', 'cancel', 'settled', 'cancelled'],
    ['pending_confirmation', 'pending_confirmation', 'cancel', 'settled', 'pending_confirmation'],
    ['pending', 'withdrawn', 'cancel', 'settled', 'withdrawn'],
  ];

  it.each([...FACTS, ...CAUSES])('should, being %s, follow the provider that says %s on %s: %s, then %s (P2, P3, P6)', async (ours, theirs, cause, kind, after) => {
    const order = await issued(ours);
    const steps = (await history(db, order.key.merchantId, order.key.payoutOrderId)).length;
    tell(order, theirs);
    const ask = () => order.scene.payouts.followPayoutOrder({ ...order.key, cause, actor: 'rail' });
    expect(await ask()).toEqual({ kind, status: after });
    expect(await order.status()).toBe(after);
    // A fact that is told twice, or twice at once, changes nothing (P6): one movement when the cash is out, and no further step.
    const told = (await history(db, order.key.merchantId, order.key.payoutOrderId)).length;
    await Promise.all([ask(), ask()]);
    expect(await history(db, order.key.merchantId, order.key.payoutOrderId)).toHaveLength(told);
    expect(told > steps).toBe(ours !== after);
    expect(await booked(order.scene)).toEqual(after === 'withdrawn' ? { count: 1, totalMinor: 3_000 } : { count: 0, totalMinor: 0 });
  });

  it('should be retried while the provider cannot be asked, and change nothing (P2)', async () => {
    const order = await issued('pending_confirmation');
    order.scene.provider.before.getPayoutOrder.push(failing('unknown', { retryAfterMs: 4000 }));
    await expect(order.scene.payouts.followPayoutOrder({ ...order.key, cause: 'window_ended', actor: 'window' })).rejects.toMatchObject({ type: 'Provider.unknown', nextRetryDelay: 4000 });
    expect(await order.status()).toBe('pending_confirmation');
  });
});
