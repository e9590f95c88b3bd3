import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { findKey } from '../../src/store/idempotency.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { findByProviderId, listPayoutOrders, readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { PAYOUT_ORDER_OPERATION, registerPayoutOrder, type NewPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { beginIssue, endIssue, fenceIssue, movePayoutOrder, recordIssueRefusal, type PayoutOrderKey } from '../../src/store/payout-orders/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, history, movements, PROVIDER } from './refund-records.ts';

async function merchant(db: Database): Promise<string> {
  const merchantId = `mer_${randomUUID()}`;
  await saveMerchant(db, { merchantId, name: 'Tienda', provider: PROVIDER });
  return merchantId;
}

async function register(db: Database, merchantId: string, payoutOrderId: string, over: Partial<NewPayoutOrder> = {}): Promise<PayoutOrderKey> {
  expect(await registerPayoutOrder(db, actingFor(payoutOrderId), newPayoutOrder(merchantId, payoutOrderId, over))).toEqual({ fingerprint: 'f', lastSend: 0, standing: null });
  return { merchantId, payoutOrderId };
}

function newPayoutOrder(merchantId: string, payoutOrderId: string, over: Partial<NewPayoutOrder>): NewPayoutOrder {
  return {
    merchantId, payoutOrderId, payoutId: `payout_${payoutOrderId}`, provider: PROVIDER, amountMinor: 3_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash',
    customerId: 'cus_1', reason: 'Referencia', expiresAt: atSecond(86_400), metadata: {}, idempotencyKey: `key-${payoutOrderId}`, fingerprint: 'f', ...over,
  };
}

function move(db: Database, key: PayoutOrderKey, ...events: Parameters<typeof movePayoutOrder>[3] extends (...args: never) => readonly (infer E)[] ? E[] : never) {
  return movePayoutOrder(db, actingFor(key.payoutOrderId), key, () => events, { providerPayoutOrderId: `prov_${key.merchantId}_${key.payoutOrderId}` });
}

describeOnEachDatabase('registerPayoutOrder', (database) => {
  it('should write it once with its key, transition and event, however often it is repeated (P1, R8, I6)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await Promise.all([register(db, merchantId, 'p'), register(db, merchantId, 'p'), register(db, merchantId, 'p', { amountMinor: 9 })]);
    expect(await readPayoutOrder(db, merchantId, 'p')).toMatchObject({ status: 'open', statusDetail: 'registered', payoutId: 'payout_p', providerPayoutOrderId: null, expiresAt: atSecond(86_400) });
    expect(await history(db, merchantId, 'p')).toEqual([{ to: 'open', detail: 'registered', events: ['payout_order.open'] }]);
    expect(await findKey(db, merchantId, PAYOUT_ORDER_OPERATION, 'key-p')).toEqual({ fingerprint: 'f', resourceId: 'p' });
  });

  it('should answer the fingerprint on record, whatever body comes under the same key (R8)', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    const again = (fingerprint: string) => registerPayoutOrder(db, actingFor('p'), newPayoutOrder(key.merchantId, 'p', { fingerprint, amountMinor: 9 }));
    expect([await again('f'), await again('other')]).toEqual(Array.from({ length: 2 }, () => ({ fingerprint: 'f', lastSend: 0, standing: null })));
  });

  it('should not take a key that stands for another payout order (R8)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await register(db, merchantId, 'p');
    await expect(register(db, merchantId, 'q', { idempotencyKey: 'key-p' })).rejects.toThrow(/idempotency_keys_pkey/);
    expect(await readPayoutOrder(db, merchantId, 'q')).toBeNull();
    const other = await merchant(db);
    await register(db, other, 'q', { idempotencyKey: 'key-p' });
    expect((await readPayoutOrder(db, other, 'q'))?.status).toBe('open');
  });
});

describeOnEachDatabase('beginIssue', (database) => {
  it('should give one permit per send number, and none to a send that was given up (S4)', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    expect(await fenceIssue(db, key, 1, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'never_sent', sentAt: null });
    expect(await beginIssue(db, key, 1)).toBe('fenced');
    expect((await Promise.all(Array.from({ length: 5 }, () => beginIssue(db, key, 2)))).toSorted()).toEqual(['fenced', 'fenced', 'fenced', 'fenced', 'go']);
    expect((await fenceIssue(db, key, 2, { afterPermitMs: 60_000, afterCallMs: 0 })).kind).toBe('too_early');
    await endIssue(db, key, 2);
    expect((await fenceIssue(db, key, 2, { afterPermitMs: 0, afterCallMs: 60_000 })).kind).toBe('too_early');
    expect(await fenceIssue(db, key, 2, { afterPermitMs: 60_000, afterCallMs: 0 })).toEqual({ kind: 'unknown', sentAt: expect.any(Date) as Date });
    expect(await beginIssue(db, key, 2)).toBe('fenced');
  });

  it('should not send once the reference is there (S4, P1)', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    await beginIssue(db, key, 1);
    await move(db, key, 'reference_issued');
    expect(await beginIssue(db, key, 2)).toBe('settled');
    expect(await fenceIssue(db, key, 2, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'settled', sentAt: expect.any(Date) as Date });
  });

  it('should leave a refused one open for ever, saying why, and not touch one that was issued (P1)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    const [refused, issued] = [await register(db, merchantId, 'p'), await register(db, merchantId, 'q')];
    await move(db, issued, 'reference_issued');
    for (const key of [refused, issued]) await recordIssueRefusal(db, key, 'customer_blocked');
    expect([await beginIssue(db, refused, 9), await beginIssue(db, issued, 9)]).toEqual(['refused', 'settled']);
    expect(await fenceIssue(db, refused, 9, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'settled', sentAt: null });
    expect(await readPayoutOrder(db, merchantId, 'p')).toMatchObject({ status: 'open', statusDetail: 'customer_blocked' });
    expect(await readPayoutOrder(db, merchantId, 'q')).toMatchObject({ status: 'pending', statusDetail: 'pending' });
  });
});

describeOnEachDatabase('movePayoutOrder', (database) => {
  it('should write one transition and one event for each step of a path (P6, I6)', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    expect(await move(db, key, 'reference_issued', 'withdrawal_begun', 'confirmed')).toBe('withdrawn');
    expect((await history(db, key.merchantId, 'p')).map((step) => [step.to, step.detail, ...step.events])).toEqual([
      ['open', 'registered', 'payout_order.open'], ['pending', 'reference_issued', 'payout_order.pending'],
      ['pending_confirmation', 'withdrawal_begun', 'payout_order.pending_confirmation'], ['withdrawn', 'confirmed', 'payout_order.withdrawn'],
    ]);
  });

  it('should write exactly one movement when the cash is gone, and none otherwise (M7)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    for (const [id, last] of [['reversed', 'reversed'], ['cancelled', 'cancelled'], ['withdrawn', 'confirmed']] as const) {
      const key = await register(db, merchantId, id);
      await move(db, key, 'reference_issued', 'withdrawal_begun');
      const decide = (): Promise<string> => movePayoutOrder(db, actingFor(id), key, (order) => (order.status === 'pending_confirmation' ? [last] : []));
      expect(new Set(await Promise.all([decide(), decide(), decide()]))).toEqual(new Set([id]));
    }
    expect(await movements(db, { merchantId })).toEqual([
      { kind: 'withdrawal', leg_id: null, charge_id: null, payout_order_id: 'withdrawn', amount_minor: 3_000, currency: 'MXN', provider_id: `prov_${merchantId}_withdrawn` },
    ]);
  });

  it('should refuse an event the machine does not have, and keep nothing of its path (I4)', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    await expect(move(db, key, 'reference_issued', 'cancelled', 'withdrawal_begun')).rejects.toThrow('payout order machine refused withdrawal_begun in cancelled');
    expect(await readPayoutOrder(db, key.merchantId, 'p')).toMatchObject({ status: 'open', providerPayoutOrderId: null });
    expect(await history(db, key.merchantId, 'p')).toHaveLength(1);
  });

  it('should change nothing for an empty path', async () => {
    const db = database();
    const key = await register(db, await merchant(db), 'p');
    expect(await move(db, key)).toBe('open');
    expect((await readPayoutOrder(db, key.merchantId, 'p'))?.providerPayoutOrderId).toBeNull();
  });
});

describeOnEachDatabase('findByProviderId', (database) => {
  it('should find by the provider\'s id, whatever its metadata say, or by ours before that is on record (A8)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    const id = randomUUID();
    const key = await register(db, merchantId, id);
    expect(await findByProviderId(db, PROVIDER, 'prov_x', id)).toMatchObject({ merchantId, payoutOrderId: id });
    await move(db, key, 'reference_issued');
    expect(await findByProviderId(db, PROVIDER, `prov_${merchantId}_${id}`, null)).toMatchObject({ payoutOrderId: id });
    expect(await findByProviderId(db, 'another', `prov_${merchantId}_${id}`, id)).toBeNull();
    expect(await findByProviderId(db, PROVIDER, 'prov_x', null)).toBeNull();
    const other = randomUUID();
    await move(db, await register(db, merchantId, other), 'reference_issued');
    for (const [told, inMetadata] of [[id, other], [other, id]] as const) expect(await findByProviderId(db, PROVIDER, `prov_${merchantId}_${told}`, inMetadata)).toMatchObject({ payoutOrderId: told });
  });
});

describeOnEachDatabase('listPayoutOrders', (database) => {
  const ids = (page: Awaited<ReturnType<typeof listPayoutOrders>>): readonly string[] => page.items.map((item) => item.payoutOrderId);

  it('should page newest first in both directions without gap or repetition (CONTRACT, Lists)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await register(db, await merchant(db), 'other');
    for (const id of ['1', '2', '3', '4', '5']) await register(db, merchantId, id);
    const first = await listPayoutOrders(db, merchantId, { limit: 2 });
    expect([ids(first), first.hasMore]).toEqual([['5', '4'], true]);
    const second = await listPayoutOrders(db, merchantId, { limit: 2, next: '4' });
    expect([ids(second), second.hasMore]).toEqual([['3', '2'], true]);
    const last = await listPayoutOrders(db, merchantId, { limit: 2, next: '2' });
    expect([ids(last), last.hasMore]).toEqual([['1'], false]);
    const back = await listPayoutOrders(db, merchantId, { limit: 2, previous: '2' });
    expect([ids(back), back.hasMore]).toEqual([['4', '3'], true]);
    const start = await listPayoutOrders(db, merchantId, { limit: 2, previous: '4' });
    expect([ids(start), start.hasMore]).toEqual([['5'], false]);
    expect(ids(await listPayoutOrders(db, merchantId, { limit: 5 }))).toHaveLength(5);
    expect((await listPayoutOrders(db, merchantId, { limit: 5 })).hasMore).toBe(false);
  });

  it('should list nothing after an id the merchant does not have (A1: another\'s object is unknown)', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await register(db, await merchant(db), 'other');
    await register(db, merchantId, 'mine');
    for (const cursor of [{ next: 'other' }, { previous: 'other' }]) expect(await listPayoutOrders(db, merchantId, { limit: 5, ...cursor })).toEqual({ items: [], hasMore: false });
  });

  it('should search id, reason and metadata literally, whatever SQL means by the characters', async () => {
    const db = database();
    const merchantId = await merchant(db);
    await register(db, merchantId, 'plain', { reason: 'Diez por ciento', metadata: { tienda: 'Sucursal Norte' } });
    await register(db, merchantId, 'wild', { reason: '100% _real_ \\ fin', metadata: { tienda: '50%_sur' } });
    const search = async (text: string): Promise<readonly string[]> => ids(await listPayoutOrders(db, merchantId, { limit: 9, search: text }));
    for (const text of ['%', '_', '100%', '\\ fin', '_real_', '50%_SUR']) expect([text, await search(text)]).toEqual([text, ['wild']]);
    expect(await search('sucursal norte')).toEqual(['plain']);
    expect(await search('plain')).toEqual(['plain']);
    expect(await search('plai')).toEqual([]);
    expect(await search("' or 1=1 --")).toEqual([]);
  });

  it('should find payout id, provider id and customer id as a whole only, and none that belongs to another merchant', async () => {
    const db = database();
    const merchantId = await merchant(db);
    const search = async (text: string): Promise<readonly string[]> => ids(await listPayoutOrders(db, merchantId, { limit: 9, search: text }));
    await register(db, merchantId, 'mine', { customerId: 'cus_%_1' });
    await move(db, await register(db, merchantId, 'issued', { customerId: 'cus_2' }), 'reference_issued');
    await register(db, await merchant(db), 'other', { customerId: 'cus_2' });
    for (const [whole, id] of [['payout_mine', 'mine'], [`prov_${merchantId}_issued`, 'issued'], ['cus_2', 'issued'], ['cus_%_1', 'mine']] as const) expect([whole, await search(whole)]).toEqual([whole, [id]]);
    for (const part of ['payout_', 'PAYOUT_MINE', 'prov_', 'cus_', 'cus_%', 'payout_other']) expect([part, await search(part)]).toEqual([part, []]);
  });

  it('should list those in one of the statuses, over pages in both directions', async () => {
    const db = database();
    const merchantId = await merchant(db);
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await register(db, merchantId, id);
    for (const id of ['a', 'c', 'f']) await move(db, { merchantId, payoutOrderId: id }, 'reference_issued');
    await move(db, { merchantId, payoutOrderId: 'e' }, 'reference_issued', 'expired');
    const list = (listing: Omit<Parameters<typeof listPayoutOrders>[2], 'limit'>) => listPayoutOrders(db, merchantId, { limit: 2, ...listing });
    for (const [cursor, ...expected] of [[{}, ['f', 'e'], true], [{ next: 'e' }, ['c', 'a'], false], [{ previous: 'c' }, ['f', 'e'], false], [{ previous: 'a' }, ['e', 'c'], true]] as const) {
      const page = await list({ status: ['pending', 'expired'], ...cursor });
      expect([ids(page), page.hasMore]).toEqual(expected);
    }
    expect(ids(await list({ status: ['open'] }))).toEqual(['d', 'b']);
    expect(ids(await list({ status: ['open'], next: 'f' }))).toEqual(['d', 'b']);
    expect(ids(await list({ status: ['withdrawn'] }))).toEqual([]);
    expect(await list({ status: [] })).toEqual({ items: [], hasMore: false });
  });

  it('should neither repeat nor leave out one while new ones arrive between the pages', async () => {
    const db = database();
    const merchantId = await merchant(db);
    for (let count = 1; count <= 7; count += 1) await register(db, merchantId, `old-${count}`);
    const seen: string[] = [];
    let page = await listPayoutOrders(db, merchantId, { limit: 2 });
    for (let count = 1; page.items.length > 0; count += 1) {
      seen.push(...ids(page));
      await register(db, merchantId, `new-${count}`);
      page = await listPayoutOrders(db, merchantId, { limit: 2, next: seen.at(-1) });
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => `old-${number}`));
    const news = await listPayoutOrders(db, merchantId, { limit: 2, previous: 'old-7' });
    expect([ids(news), news.hasMore]).toEqual([['new-2', 'new-1'], true]);
  });

  it('should say whether one needs attention (O1)', async () => {
    const db = database();
    const { merchantId } = await register(db, await merchant(db), 'p');
    expect((await readPayoutOrder(db, merchantId, 'p'))?.needsAttention).toBe(false);
    await openCase(db, { merchantId, payoutOrderId: 'p', kind: 'contradiction' });
    expect((await listPayoutOrders(db, merchantId, { limit: 1 })).items[0]?.needsAttention).toBe(true);
  });
});
