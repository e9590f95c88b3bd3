import { expect, it } from 'vitest';

import type { ListedRefund, ProviderRefundState } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { recordLateFailure } from '../../src/store/refunds/late-failure.ts';
import { resolveLeg } from '../../src/store/refunds/resolve.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, begin, chargeRow, legOf, listed, openShop, operatorFor, orderSnapshot, PROVIDER, REFUSED, reserve, told, type Shop } from './refund-records.ts';

function save(db: Database, { merchantId }: Shop, second: number, ...refunds: readonly ListedRefund[]): Promise<void> {
  return saveOrder(db, merchantId, PROVIDER, orderSnapshot([{ refunds }]), atSecond(second));
}

/** The order as it is seen with news of a leg. */
function seen(second: number, ...refunds: readonly ListedRefund[]) {
  return { order: orderSnapshot([{ refunds }]), seenAt: atSecond(second) };
}

/** A shop with a refund `r` of 1,000 that the provider accepted as `re_1`. */
async function shopWithAccepted(db: Database, kind: 'authorized' | 'approved' | 'succeeded'): Promise<Shop> {
  const shop = await openShop(db);
  await reserve(db, shop, 'r', { amountMinor: 1_000 });
  await begin(db, legOf(shop, 'r'));
  await settleLeg(db, actingFor('r'), legOf(shop, 'r'), told(kind, 're_1'));
  return shop;
}

async function amounts(db: Database, shop: Shop): Promise<{ readonly held: number; readonly external: number }> {
  const { held_minor: held, external_minor: external } = await chargeRow(db, shop);
  return { held, external };
}

/** Whether a refund of each state that we did not make counts against its charge, by hand from M2. */
const COUNTED = [['authorized', 300], ['approved', 300], ['succeeded', 300], ['failed', 0]] as const satisfies readonly (readonly [ProviderRefundState, number])[];

describeOnEachDatabase('refunds made elsewhere', (database) => {
  it.each(COUNTED)('should count one that is %s as %i of 300 (M2)', async (state, external) => {
    const db = database();
    const shop = await openShop(db);
    await save(db, shop, 5, listed('re_manual', 300, state));
    expect(await amounts(db, shop)).toEqual({ held: 0, external });
    expect(await reserve(db, shop, 'rest')).toMatchObject({ kind: 'reserved', legs: [{ amountMinor: 10_000 - external }] });
  });

  it('should count no more once the provider says that it failed after all (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await save(db, shop, 5, listed('re_manual', 300, 'approved'));
    await save(db, shop, 6, listed('re_manual', 300, 'failed'));
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 0 });
  });
});

describeOnEachDatabase('refunds of our own in the provider\'s list', (database) => {
  it.each(['authorized', 'approved', 'succeeded'] as const)('should count once, as held, while the leg is %s (M2)', async (kind) => {
    const db = database();
    const shop = await shopWithAccepted(db, kind);
    await save(db, shop, 5, listed('re_1', 1_000, kind), listed('re_manual', 300));
    expect(await amounts(db, shop)).toEqual({ held: 1_000, external: 300 });
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'succeeded', providerRefundId: 're_1', seen: seen(6, listed('re_1', 1_000)) });
    await save(db, shop, 7, listed('re_1', 1_000), listed('re_manual', 300));
    expect(await amounts(db, shop)).toEqual({ held: 1_000, external: 300 });
  });

  it('should count for nothing once refused, and as made elsewhere if it is listed as counting all the same (M2, M4)', async () => {
    const db = database();
    const shop = await shopWithAccepted(db, 'authorized');
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), { ...REFUSED, kind: 'refused', refusal: 'failed_at_provider', seen: seen(5, listed('re_1', 1_000, 'failed')) });
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 0 });
    await save(db, shop, 6, listed('re_1', 1_000));
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 1_000 });
  });

  it('should count as made elsewhere when it failed late and is listed as counting again (R9, M2)', async () => {
    const db = database();
    const shop = await shopWithAccepted(db, 'succeeded');
    await recordLateFailure(db, actingFor('r'), legOf(shop, 'r'), seen(5, listed('re_1', 1_000, 'failed'), listed('re_manual', 300)));
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 300 });
    await save(db, shop, 6, listed('re_1', 1_000), listed('re_manual', 300));
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 1_300 });
    expect(await reserve(db, shop, 'rest')).toMatchObject({ legs: [{ amountMinor: 8_700 }] });
  });

  it('should count as made elsewhere when a human said `failed` and it is listed as counting (O2, M2)', async () => {
    const db = database();
    const shop = await shopWithAccepted(db, 'approved');
    await resolveLeg(db, operatorFor('r'), legOf(shop, 'r'), { resolution: { outcome: 'failed' }, accepted: 'succeeded', seen: null, quiet: { afterPermitMs: 0, afterCallMs: 0 } });
    await save(db, shop, 6, listed('re_1', 1_000, 'approved'));
    expect(await amounts(db, shop)).toEqual({ held: 0, external: 1_000 });
  });
});

/** News of an earlier refund, which come with a list on which the one under way may be standing already. */
const NEWS: readonly (readonly [name: string, accepted: 'authorized' | 'succeeded', state: ProviderRefundState, tell: (db: Database, shop: Shop, at: ReturnType<typeof seen>) => Promise<unknown>])[] = [
  ['was executed', 'authorized', 'approved', (db, shop, at) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'approved', providerRefundId: 're_1', seen: at })],
  ['succeeded', 'authorized', 'succeeded', (db, shop, at) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'succeeded', providerRefundId: 're_1', seen: at })],
  ['was refused', 'authorized', 'failed', (db, shop, at) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'refused', refusal: 'failed_at_provider', seen: at })],
  ['failed late', 'succeeded', 'failed', (db, shop, at) => recordLateFailure(db, actingFor('r'), legOf(shop, 'r'), at)],
];

describeOnEachDatabase('a refund under way', (database) => {
  it.each(NEWS)('should not count twice when another one of its charge %s and the list shows both (S5, M2)', async (_, accepted, state, tell) => {
    const db = database();
    const shop = await shopWithAccepted(db, accepted);
    await reserve(db, shop, 'next', { amountMinor: 4_000 });
    expect(await begin(db, legOf(shop, 'next'))).toEqual({ kind: 'go' });
    await tell(db, shop, seen(9, listed('re_1', 1_000, state), listed('re_next', 4_000)));
    expect((await chargeRow(db, shop)).external_minor).toBe(0);
    expect(await reserve(db, shop, 'rest', { amountMinor: 5_000 })).toMatchObject({ kind: 'reserved' });
  });
});
