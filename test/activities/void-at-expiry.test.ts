import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import { failing, recordOf, standingAt, tell } from './payout-scene.ts';

const EXPIRY = { cause: 'expiry', actor: 'expiry' } as const;
let db: Database;
beforeAll(async () => { db = await memoryDatabase(); });
afterAll(() => db.destroy());

describe('voidReference at expires_at', () => {
  it('should leave a withdrawal its window that began before anybody heard of it, although the provider would still void it (P2, P3)', async () => {
    const order = await standingAt(db, 'pending');
    tell(order, 'pending_confirmation');
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY })).toEqual({ kind: 'settled', status: 'pending_confirmation' });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(0);
    expect((await recordOf(order)).status).toBe('pending_confirmation');
  });

  it.each<[PayoutOrderStatus, PayoutOrderStatus, number]>([
    ['pending', 'expired', 1], ['cancelled', 'expired', 0], ['expired', 'expired', 0], ['withdrawn', 'withdrawn', 0], ['reversed', 'reversed', 0],
  ])('should, when the provider shows %s, settle %s with %i voids (P2)', async (shown, status, voids) => {
    const order = await standingAt(db, 'pending');
    tell(order, shown);
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY })).toEqual({ kind: 'settled', status });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(voids);
  });

  it('should void what a provider that lags behind shows as not issued yet: a look that settles nothing must not end the expiry (P2)', async () => {
    const order = await standingAt(db, 'pending');
    tell(order, 'open');
    order.scene.provider.before.cancelPayoutOrder.push(() => tell(order, 'pending'));
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY })).toEqual({ kind: 'settled', status: 'expired' });
  });

  it.each(['unknown', 'not_sent'] as const)('should void nothing when the look ended %s (P2)', async (kind) => {
    const order = await standingAt(db, 'pending');
    order.scene.provider.before.getPayoutOrder.push(failing(kind));
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY })).toMatchObject({ kind });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(0);
    expect((await recordOf(order)).status).toBe('pending');
  });

  it('should leave a withdrawal its window that our books know of, although the provider lags behind them (P3)', async () => {
    const order = await standingAt(db, 'pending_confirmation');
    tell(order, 'pending');
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY })).toEqual({ kind: 'settled', status: 'pending_confirmation' });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(0);
  });

  it('should not void yet what is told to be collected and not shown so (P3), but cancel it when asked to (P4)', async () => {
    const order = await standingAt(db, 'pending');
    expect(await order.scene.payouts.voidReference({ ...order.key, ...EXPIRY, isWithdrawalTold: true })).toEqual({ kind: 'declined', status: 'pending' });
    expect(order.scene.provider.calls.cancelPayoutOrder).toBe(0);
    expect(await order.scene.payouts.voidReference({ ...order.key, cause: 'cancel', actor: 'key_test', isWithdrawalTold: true })).toEqual({ kind: 'settled', status: 'cancelled' });
  });

  it('should not look before a cancellation: its caller wants it voided, whatever has begun (P4)', async () => {
    const order = await standingAt(db, 'pending');
    const { getPayoutOrder } = order.scene.provider.calls;
    tell(order, 'pending_confirmation');
    expect(await order.scene.payouts.voidReference({ ...order.key, cause: 'cancel', actor: 'key_test' })).toEqual({ kind: 'settled', status: 'cancelled' });
    expect(order.scene.provider.calls.getPayoutOrder).toBe(getPayoutOrder);
  });
});
