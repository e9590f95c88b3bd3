import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderOrder, renderUntouchedOrder } from '../../src/http/conekta/render-order.ts';
import type { OrderRecord } from '../../src/store/orders.ts';

type Charge = OrderRecord['charges'][number];

function charge(changes: Partial<Charge> = {}, raw: Record<string, unknown> = {}): Charge {
  return {
    chargeId: 'c', capturedMinor: 30_000, heldMinor: 0, externalMinor: 0, disputedMinor: 0, paid: true, currency: 'MXN',
    raw: { id: 'c', status: 'paid', amount: 30_000, refunds: null, payment_method: { object: 'card_payment', last4: '4242' }, is_refundable: true, ...raw }, ...changes,
  };
}

function refunds(...amounts: (number | [number, string])[]): Record<string, unknown> {
  const data = amounts.map((entry, index) => (typeof entry === 'number' ? { amount: entry, id: `r${index}`, created_at: 100 + index } : { amount: entry[0], id: `r${index}`, created_at: 100 + index, status: entry[1] }));
  return { refunds: { object: 'list', has_more: false, data } };
}

function order(...charges: Charge[]): OrderRecord {
  return { raw: { id: 'ord_1', object: 'order', payment_status: 'paid', amount_refunded: 0, is_refundable: true, split_payment: false, updated_at: 50, metadata: { kept: true } }, charges };
}

describe('renderOrder', () => {
  it('should count what the charges list, not what the order said when it was read', () => {
    const rendered = renderOrder(order(charge({ heldMinor: 10_000 }, refunds(-4000, -6000)), charge()));
    expect(rendered).toMatchObject({ amount_refunded: 10_000, payment_status: 'partially_refunded', split_payment: true, is_refundable: true, updated_at: 101, metadata: { kept: true } });
    expect(rendered['charges']).toMatchObject({ object: 'list', has_more: false, total: 2, data: [{ status: 'partially_refunded', is_refundable: true, refunds: { total: 2 } }, { status: 'paid', refunds: null }] });
  });

  it('should say refunded when nothing is left', () => {
    const rendered = renderOrder(order(charge({ heldMinor: 30_000 }, refunds(-30_000))));
    expect(rendered).toMatchObject({ amount_refunded: 30_000, payment_status: 'refunded', split_payment: false, is_refundable: false });
    expect(rendered['charges']).toMatchObject({ data: [{ status: 'refunded', is_refundable: false }] });
  });

  it('should take back what a failed refund had said (R9)', () => {
    const record = order(charge({}, { ...refunds([-30_000, 'failed']), status: 'refunded' }));
    expect(renderOrder({ ...record, raw: { ...record.raw, payment_status: 'refunded' } })).toMatchObject({ amount_refunded: 0, payment_status: 'paid', is_refundable: true, charges: { data: [{ status: 'paid', refunds: null }] } });
  });

  it.each(['failed', 'canceled', 'cancelled'])('should not show a refund that is %s, nor count it, but date the order by it (CONTRACT §5, R9)', (status) => {
    const rendered = renderOrder(order(charge({ heldMinor: 4000 }, refunds(-4000, [-6000, status]))));
    expect(rendered).toMatchObject({ amount_refunded: 4000, payment_status: 'partially_refunded', updated_at: 101 });
    expect(rendered['charges']).toMatchObject({ data: [{ status: 'partially_refunded', refunds: { total: 1, data: [{ id: 'r0', amount: -4000 }] } }] });
  });

  it.each(['authorized', 'approved', 'pending', undefined])('should show a refund under way as the provider tells it, and count it: %s (M2)', (status) => {
    const rendered = renderOrder(order(charge({ heldMinor: 4000 }, refunds(status === undefined ? -4000 : [-4000, status]))));
    expect(rendered).toMatchObject({ amount_refunded: 4000, charges: { data: [{ refunds: { total: 1, data: [{ amount: -4000, ...(status === undefined ? {} : { status }) }] } }] } });
  });

  it('should always say as refunded what the refunds it shows add up to, and show no empty list (CONTRACT §5)', () => {
    const status = fc.constantFrom('failed', 'canceled', 'cancelled', 'authorized', 'approved', 'succeeded', 'pending');
    const list = fc.array(fc.oneof(fc.integer({ min: 1, max: 5000 }).map((amount) => -amount), fc.tuple(fc.integer({ min: 1, max: 5000 }).map((amount) => -amount), status)), { maxLength: 5 });
    fc.assert(fc.property(fc.array(list, { maxLength: 3 }), (lists) => {
      for (const render of [renderOrder, renderUntouchedOrder]) {
        const rendered = render(order(...lists.map((entries) => charge({}, refunds(...entries)))));
        const shown = (rendered['charges'] as { data: { refunds: { total: number; data: { amount: number; status?: string }[] } | null }[] }).data.map((each) => each.refunds);
        for (const each of shown) if (each !== null) expect([each.total, each.data.length > 0]).toEqual([each.data.length, true]);
        const entries = shown.flatMap((each) => each?.data ?? []);
        expect(rendered['amount_refunded']).toBe(0 - entries.reduce((sum, { amount }) => sum + amount, 0));
        for (const entry of entries) expect(['failed', 'canceled', 'cancelled']).not.toContain(entry.status);
        const counting = lists.flat().filter((entry) => typeof entry === 'number' || !['failed', 'canceled', 'cancelled'].includes(entry[1]));
        expect(entries).toHaveLength(counting.length);
      }
    }));
  });

  it.each([['unpaid', { paid: false }], ['disputed', { disputedMinor: 1 }], ['held by refunds under way', { heldMinor: 30_000 }], ['refunded elsewhere', { externalMinor: 30_000 }]])('should not call a charge refundable that is %s (M2)', (_, changes) => {
    expect(renderOrder(order(charge(changes)))['charges']).toMatchObject({ data: [{ is_refundable: false }] });
  });

  it('should leave a status alone that does not speak of refunds', () => {
    const record = order(charge({ paid: false }, { status: 'pending_payment' }));
    const rendered = renderOrder({ ...record, raw: { ...record.raw, payment_status: 'pending_payment' } });
    expect(rendered).toMatchObject({ payment_status: 'pending_payment', charges: { data: [{ status: 'pending_payment' }] } });
  });

  it('should render an order without charges', () => {
    expect(renderOrder(order())).toMatchObject({ amount_refunded: 0, is_refundable: false, split_payment: false, charges: { total: 0, data: [] } });
  });
});

describe('renderUntouchedOrder', () => {
  it('should have the shape of the seed\'s data (CONTRACT §8 no. 15)', () => {
    const rendered = renderUntouchedOrder(order(charge(), charge({}, { fee: 905, payment_method: { object: 'cash_payment' } })));
    expect(rendered).not.toHaveProperty('split_payment');
    expect(rendered['charges']).toMatchObject({ data: [{ fee: null, payment_method: { antifraud_flag: '', last4: '4242' } }, { fee: 905, payment_method: { object: 'cash_payment' } }] });
    for (const rendition of (rendered['charges'] as { data: object[] }).data) expect(rendition).not.toHaveProperty('is_refundable');
  });
});
