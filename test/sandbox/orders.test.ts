import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { feeOf } from '../../src/sandbox/order-view.ts';
import { cardOrder, createCardOrder, expectShape, startSandbox, temporaryFolder } from './start-sandbox.ts';

const cashOrder = { ...cardOrder(5000), charges: [{ amount: 5000, payment_method: { type: 'cash' } }] };

describe('POST /orders', () => {
  it('should answer a paid split order in the shape of seed 002 (X1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30000, 20000);
    expectShape('order_after_refund', order);
    expect(order).toMatchObject({ amount: 50000, payment_status: 'paid', split_payment: true, is_refundable: true, amount_refunded: 0 });
    expect(order.charges.data.map((charge: { refunds: null }) => charge.refunds)).toEqual([null, null]);
    expect((await sandbox.call('GET', `/orders/${order.id}`)).body).toEqual(order);
  });

  it('should keep cash orders unpaid and not refundable until they are paid (X1)', async () => {
    const sandbox = await startSandbox();
    const { body: order } = await sandbox.call('POST', '/orders', cashOrder);
    expectShape('order_seed', order);
    expect(order).toMatchObject({ payment_status: 'pending_payment', is_refundable: false });
    expect(order.charges.data[0].payment_method.reference).toMatch(/^\d{12}$/);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, {})).status).toBe(428);
    const paid = await sandbox.call('POST', `/sandbox/orders/${order.id}/pay`);
    expect(paid).toMatchObject({ status: 200, body: { payment_status: 'paid', is_refundable: true } });
    expect((await sandbox.call('POST', `/sandbox/orders/${order.id}/pay`)).status).toBe(409);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, {})).body.payment_status).toBe('refunded');
  });

  it('should leave an order without charges unpaid and not refundable (X1)', async () => {
    const sandbox = await startSandbox();
    const { body: order } = await sandbox.call('POST', '/orders', { ...cardOrder(5000), charges: undefined });
    expect(order).toMatchObject({ payment_status: null, is_refundable: false, charges: { total: 0, data: [] } });
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`)).status).toBe(428);
  });

  it('should refuse a declined token and store nothing (X1)', async () => {
    const sandbox = await startSandbox();
    const request = { ...cardOrder(5000), charges: [{ amount: 5000, payment_method: { type: 'card', token_id: 'tok_test_card_declined' } }] };
    const { status, body } = await sandbox.call('POST', '/orders', request);
    expect([status, body.details[0].code]).toEqual([402, 'conekta.errors.processing.bank.declined']);
    expect((await sandbox.call('GET', '/orders')).body.data).toEqual([]);
  });

  it('should keep brand and last four digits of a card and never its number (I7)', async () => {
    const folder = temporaryFolder();
    const sandbox = await startSandbox({ databasePath: join(folder, 'sandbox.db') });
    const method = { type: 'card', number: '5555555555554444', cvc: '871', exp_month: '02', exp_year: '2030', name: 'Ezequiel Haydossian' };
    const { body: order } = await sandbox.call('POST', '/orders', { ...cardOrder(5000), charges: [{ amount: 5000, payment_method: method }] });
    expect(order.charges.data[0].payment_method).toMatchObject({ brand: 'mastercard', last4: '4444', exp_year: '30', object: 'card_payment' });
    const stored = readdirSync(folder).map((file) => readFileSync(join(folder, file)).toString('latin1')).join('');
    expect(stored).toContain('Ezequiel Haydossian');
    expect(stored).not.toContain('5555555555554444');
  });

  it.each([
    ['charges that do not add up', { charges: [{ amount: 1, payment_method: { type: 'cash' } }] }, 'charges'],
    ['a fraction', { line_items: [{ name: 'Box', unit_price: 1.5, quantity: 1 }] }, 'line_items.0.unit_price'],
    ['a missing name', { customer_info: { email: 'a@b.c', phone: '5' } }, 'customer_info.name'],
    ['an unknown field', { curency: 'MXN' }, 'curency'],
    ['an amount beyond the safe integers', { line_items: [{ name: 'Box', unit_price: 2 ** 53 - 1, quantity: 2 }] }, 'line_items'],
  ])('should refuse %s with 422 naming the parameter (M1)', async (_case, over, param) => {
    const sandbox = await startSandbox();
    const { status, body } = await sandbox.call('POST', '/orders', { ...cardOrder(5000), ...over });
    expectShape('error', body);
    expect([status, body.type, body.details[0].param]).toEqual([422, 'parameter_validation_error', param]);
  });
});

describe('GET /orders', () => {
  it('should page newest first, forwards and back, and filter (X1)', async () => {
    const sandbox = await startSandbox();
    const ids: string[] = [];
    for (const amount of [100, 200, 300]) ids.unshift((await createCardOrder(sandbox, amount)).id);
    const first = (await sandbox.call('GET', '/orders?limit=2')).body;
    expectShape('page', first);
    expect([first.data.map((order: { id: string }) => order.id), first.has_more, first.previous_page_url, first.total]).toEqual([ids.slice(0, 2), true, null, 3]);
    const second = (await (await fetch(first.next_page_url, { headers: { authorization: 'Bearer key_demo' } })).json()) as typeof first;
    expect([second.data[0].id, second.has_more, second.next_page_url]).toEqual([ids[2], false, null]);
    const back = (await (await fetch(second.previous_page_url, { headers: { authorization: 'Bearer key_demo' } })).json()) as typeof first;
    expect(back.data.map((order: { id: string }) => order.id)).toEqual(ids.slice(0, 2));
    await sandbox.call('POST', `/orders/${ids[1]}/refunds`);
    const refunded = (await sandbox.call('GET', '/orders?payment_status=refunded')).body;
    expect(refunded.data.map((order: { id: string }) => order.id)).toEqual([ids[1]]);
    expect((await sandbox.call('GET', '/orders?limit=251')).status).toBe(422);
  });
});

describe('createSandboxApp', () => {
  it('should keep the data of keys apart and accept bearer and basic (X1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const basic = `Basic ${Buffer.from('key_demo:').toString('base64')}`;
    expect((await sandbox.call('GET', `/orders/${order.id}`, undefined, { authorization: basic })).status).toBe(200);
    expect((await sandbox.call('GET', `/orders/${order.id}`, undefined, { authorization: 'Bearer key_other' })).status).toBe(404);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, {}, { authorization: 'Bearer key_other' })).status).toBe(404);
    expect((await sandbox.call('GET', '/orders', undefined, { authorization: 'Bearer key_other' })).body.data).toEqual([]);
  });

  it.each(['', 'Bearer secret', 'Basic c2VjcmV0Og==', 'Bearer key_', 'Digest key_demo'])('should answer 401 to the authorization "%s" before anything else', async (authorization) => {
    const sandbox = await startSandbox();
    for (const path of ['/orders/ord_unknown', '/nowhere']) {
      const { status, body } = await sandbox.call('GET', path, undefined, { authorization });
      expect([status, body.details[0].code]).toEqual([401, 'conekta.errors.authentication.missing_key']);
    }
  });

  it('should answer unreadable bodies in the dialect: 400, 413, 415', async () => {
    const sandbox = await startSandbox();
    const malformed = await sandbox.call('POST', '/orders', '{"currency":');
    expectShape('error', malformed.body);
    expect([malformed.status, malformed.body.type]).toEqual([400, 'malformed_request_error']);
    expect((await sandbox.call('POST', '/orders', { currency: 'M'.repeat(65_536) })).status).toBe(413);
    expect((await sandbox.call('POST', '/orders', 'currency=MXN', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
  });

  it('should answer in English when asked to, and tolerate doubled slashes', async () => {
    const sandbox = await startSandbox();
    const english = await sandbox.call('GET', '//orders/ord_x', undefined, { 'accept-language': 'en-US,en;q=0.9' });
    expect([english.status, english.body.details[0].message, english.body.details[0].debug_message])
      .toEqual([404, 'The resource was not found.', 'The object Order "ord_x" could not be found.']);
    expect((await sandbox.call('GET', '/orders/ord_x')).body.details[0].message).toBe('El recurso no fue encontrado.');
  });

  it('should be healthy without a key', async () => {
    const sandbox = await startSandbox();
    expect((await sandbox.call('GET', '/sandbox/health', undefined, { authorization: '' })).status).toBe(200);
  });
});

describe('feeOf', () => {
  it('should give the fees of seed 002', () => {
    expect([feeOf(30000), feeOf(20000)]).toEqual([1241, 905]);
  });
});
