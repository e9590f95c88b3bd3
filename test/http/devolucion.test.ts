import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyReusedError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { rememberCharges } from '../../src/store/known-charges.ts';
import { addKey, expectContract, OTHER_KEY, seed, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';
import { playDevolucion, recordPayment } from './gateway-scene.ts';
import type { Fate } from './gateway-scene.ts';
import { chargeIdOf, playRefund, recordOrder } from './played-workflows.ts';

const KEY = 'key_backend_of_one';
const OPERATOR_KEY = 'key_operator_of_one';
const CARRIER_KEY = 'key_carrier_of_one';

let api: TestApi;
let paymentId = '';
let payments = 0;
beforeAll(async () => {
  api = await startApi();
  await addKey(api.db, 'm_one', KEY, ['read', 'refunds', 'payouts']);
  await addKey(api.db, 'm_one', OPERATOR_KEY, ['read', 'refunds', 'operator']);
  await addKey(api.db, 'm_one', CARRIER_KEY, ['refunds', 'rail']);
});
afterAll(() => api.close());
beforeEach(async () => {
  payments += 1;
  paymentId = `pay-${payments}`;
  await recordPayment(api.db, 'm_one', paymentId);
  play();
});

function play(fate?: Fate): void {
  api.client.reset({ requestRefund: (refund) => playDevolucion(api.db, refund, fate) });
}

/** A raw body, since `JSON.stringify` cannot say `100.00`. */
function devolucion(body = '', headers: Record<string, string> = {}, id = paymentId): Promise<Answer & { readonly raw: string }> {
  return ask('POST', `/api/v2/pagos/devolucion/${id}`, body, headers);
}

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, body = '', headers: Record<string, string> = {}): Promise<Answer & { readonly raw: string }> {
  const response = await api.app.inject({
    method, url, headers: { authorization: `Bearer ${KEY}`, ...(body === '' ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === '' ? {} : { payload: body }),
  });
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(response.body) as unknown, raw: response.body };
}

describe('POST /api/v2/pagos/devolucion/:id', () => {
  it('should answer with every field of the seed, amounts lexically with two places (seed 003, M1)', async () => {
    play({ state: 'succeeded', receipt: {
      providerStatus: 'refunded', transactionId: 'tx-1', authorizationCode: 'auth-1', ticketNumber: 'ticket-1',
      fees: [{ type: 'refund_cost', payer: 'collector', description: 'Costo', amountMinor: 150 }, { type: 'discount', payer: 'payer', description: null, amountMinor: 5 }],
    } });
    const answer = await devolucion('{"amount":100.00,"type":"by_media_payment","reason":"devuelto","external_reference":"pedido-7","metadata":{"pedido":7,"tasa":0.5}}', { 'idempotency-key': 'k-seed' });
    const refundId = deriveRefundId('m_one', paymentId, 'k-seed');
    expect(answer.status).toBe(200);
    expectContract('devolucion', answer.body);
    expect(answer.body).toEqual({
      id: refundId, status: 'refunded', status_detail: 'complete', type: 'by_media_payment', reference: paymentId, external_reference: 'pedido-7', amount: 100, reason: 'devuelto',
      transaction_id: 'tx-1', authorization_code: 'auth-1', ticket_number: 'ticket-1',
      fee_details: [{ type: 'refund_cost', fee_payer: 'collector', description: 'Costo', amount: 1.5 }, { type: 'discount', fee_payer: 'payer', description: null, amount: 0.05 }],
      source: { id: 'm_one', name: 'm_one', type: 'collector' }, metadata: { pedido: 7, tasa: 0.5 },
    });
    expect([...answer.raw.matchAll(/"amount":([^,}]+)/g)].map(([, amount]) => amount)).toEqual(['100.00', '1.50', '0.05']);
    expect(answer.headers).toMatchObject({ 'idempotency-key': 'k-seed', 'reintegro-refund-id': refundId, 'content-type': 'application/json; charset=utf-8' });
  });

  it('should tell the client who asks for what of which payment at which provider (R11, A2)', async () => {
    await devolucion('{"amount":90071992547409.91,"type":"manual"}', { 'idempotency-key': 'k-asked' });
    expect(api.client.calls[0]?.args[0]).toEqual({
      merchantId: 'm_one', provider: 'gateway', orderId: paymentId, chargeId: paymentId, amountMinor: Number.MAX_SAFE_INTEGER, reason: undefined, refundType: 'manual', externalReference: undefined,
      metadata: undefined, onBehalfOf: undefined, requestedAs: 'merchant', idempotencyKey: 'k-asked', requestedBy: 'm_one_prefix',
    });
  });

  it('should leave the provider out where it is the merchant\'s own, so that every way to ask asks for the same refund (R8)', async () => {
    await api.db.updateTable('merchants').set({ provider: 'gateway' }).where('merchant_id', '=', 'm_one').execute();
    try {
      expect((await devolucion('{"amount":1}')).status).toBe(200);
      expect(api.client.calls[0]?.args[0]).toMatchObject({ provider: undefined, orderId: paymentId });
    } finally {
      await api.db.updateTable('merchants').set({ provider: 'conekta' }).where('merchant_id', '=', 'm_one').execute();
    }
  });

  it('should give back what remains when no amount is named (M5)', async () => {
    expect((await devolucion('{"amount":999.99}')).body).toMatchObject({ status: 'refunded', amount: 999.99 });
    const rest = await devolucion();
    expect(rest.body).toMatchObject({ status: 'refunded', amount: 0.01 });
    expect(rest.raw).toContain('"amount":0.01,');
    const none = await devolucion();
    expect(none).toMatchObject({ status: 428, body: { object: 'error', type: 'precondition_required_error', details: [{ code: 'gateway.errors.precondition_required.payment.is_not_refundable' }] } });
    expect((await devolucion('{"amount":0.01}')).status).toBe(428);
  });

  it('should refuse more than what remains, naming the amount (R1)', async () => {
    const answer = await devolucion('{"amount":1000.01}');
    expect(answer).toMatchObject({ status: 422, body: { details: [{ param: 'amount', code: 'gateway.errors.parameter_validation.amount.exceeds_remaining', message: 'El monto excede lo que resta por reembolsar.' }] } });
  });

  it('should answer 404 for a payment that the provider does not know', async () => {
    const answer = await devolucion('', { 'accept-language': 'en' }, 'pay-nowhere');
    expect(answer).toMatchObject({ status: 404, body: { object: 'error', type: 'resource_not_found_error', details: [{ code: 'gateway.errors.resource_not_found.entity', message: 'The resource was not found.', debug_message: 'The object Payment "pay-nowhere" could not be found.' }] } });
  });

  it('should show a refund that the provider declined beside the error (R1)', async () => {
    play('declined');
    const answer = await devolucion('{"amount":10.50}');
    expect(answer).toMatchObject({ status: 402, body: { details: [{ code: 'gateway.errors.processing.charge_operations.refund.declined' }], data: { status: 'rejected', amount: 10.5, reference: paymentId } } });
    expectContract('devolucion', (answer.body as { data: unknown }).data);
    expect(answer.raw).toContain('"amount":10.50,');
  });

  it('should answer a refund under way with its message and where it can be read (R10)', async () => {
    play('lost');
    const answer = await devolucion('{"amount":10}', { 'idempotency-key': 'k-lost' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'in_process', amount: 10 }, headers: { location: `/api/v2/pagos/devolucion/${paymentId}?refund_id=${deriveRefundId('m_one', paymentId, 'k-lost')}` } });
    expect((await ask('GET', String(answer.headers['location']))).body).toEqual(answer.body);
  });

  it.each(['in_process', 'review', 'validate', 'deferred', 'pending', 'authorized'])('should tell a refund that the provider has taken, and its own word `%s` for it (R6)', async (word) => {
    play({ state: 'authorized', receipt: { providerStatus: word } });
    expect((await devolucion('{"amount":1.5}')).body).toMatchObject({ status: 'authorized', status_detail: `accepted_by_provider: ${word}`, amount: 1.5 });
  });

  it('should replay a request of the same key and value, however its amount is written, and refuse another one (R8)', async () => {
    const first = await devolucion('{"amount":10.50,"metadata":{"a":1}}', { 'idempotency-key': 'k-replay' });
    const again = await devolucion('{ "metadata": {"a": 1}, "amount": 10.5 }', { 'idempotency-key': '"k-replay"' });
    expect(again).toMatchObject({ status: 200, body: first.body, headers: { 'idempotent-replayed': 'true' } });
    for (const body of ['{"amount":10.51,"metadata":{"a":1}}', '{"amount":10.50}', '{"amount":10.50,"metadata":{"a":1},"type":"online"}', '{"amount":10.50,"metadata":{"a":1},"source":{"type":"customer","id":"c-1"}}']) {
      expect(await devolucion(body, { 'idempotency-key': 'k-replay' })).toMatchObject({ status: 422, body: { details: [{ code: 'gateway.errors.parameter_validation.idempotency_key.reused' }] } });
    }
    expect(api.client.calls).toHaveLength(1);
    expect(await devolucion('{"amount":10.50,"metadata":{"a":1}}', { 'idempotency-key': 'k-replay', authorization: `Bearer ${OPERATOR_KEY}` })).toMatchObject({ status: 200, body: first.body });
  });

  it('should say what the message says, also when the refund ended after its Workflow answered', async () => {
    api.client.reset({ requestRefund: async (refund) => {
      const answer = await playDevolucion(api.db, refund, 'declined');
      return answer.kind === 'answered' ? { ...answer, view: { ...answer.view, status: 'in_process', statusDetail: 'sent' } } : answer;
    } });
    expect(await devolucion('{"amount":1}')).toMatchObject({ status: 402, body: { data: { status: 'rejected' } } });
  });

  it('should say when the key is another request\'s, and when nothing is known (R8)', async () => {
    api.client.reset({ requestRefund: async () => { throw new KeyReusedError('rfd_1'); } });
    expect((await devolucion()).status).toBe(422);
    api.client.reset({ requestRefund: async () => { throw new TemporalUnavailableError('down'); } });
    expect(await devolucion()).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { object: 'error', type: 'api_error' } });
  });

  it('should give a charge of another provider that is on record back there, and count both faces together (M2, CONTRACT §7)', async () => {
    const orderId = 'ord_2tgvDBAmxTMqBoth';
    await recordOrder(api.db, 'm_one', seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>, orderId);
    api.client.reset({ requestRefund: (refund) => playRefund(api.db, refund) });
    const answer = await devolucion('{"amount":100.00}', {}, chargeIdOf(orderId, 0));
    expect(answer.body).toMatchObject({ status: 'refunded', reference: chargeIdOf(orderId, 0), amount: 100 });
    expect(api.client.calls[0]?.args[0]).toMatchObject({ provider: undefined, orderId, chargeId: chargeIdOf(orderId, 0), amountMinor: 10_000 });
    expect((await api.call('POST', `/orders/${orderId}/refunds`, { charge_id: chargeIdOf(orderId, 0) })).body.charges.data[0]).toMatchObject({ status: 'refunded' });
    expect((await devolucion('', {}, chargeIdOf(orderId, 0))).status).toBe(428);
  });
});

describe('the source of a message', () => {
  it.each([
    ['a merchant\'s key', KEY, '', { id: 'm_one', name: 'm_one', type: 'collector' }],
    ['an operator\'s key', OPERATOR_KEY, '', { id: 'm_one_prefix', name: null, type: 'backoffice' }],
    ['the provider\'s key', CARRIER_KEY, '', { id: 'm_one_prefix', name: 'gateway', type: 'carrier' }],
    ['a merchant for its payer', KEY, '{"source":{"type":"customer","id":"cliente-7"}}', { id: 'cliente-7', name: null, type: 'customer' }],
    ['a merchant\'s timer', KEY, '{"source":{"type":"system","id":"nightly"}}', { id: 'nightly', name: null, type: 'system' }],
  ])('should be told from who asked: %s (seed 003)', async (_, key, body, source) => {
    const answer = await devolucion(body, { authorization: `Bearer ${key}` });
    expect(answer).toMatchObject({ status: 200, body: { source } });
    expectContract('devolucion', answer.body);
  });

  it.each(['collector', 'backoffice', 'carrier', 'nobody'])('should not be claimed as %s: that is told by the key', async (type) => {
    expect(await devolucion(`{"source":{"type":"${type}","id":"x"}}`)).toMatchObject({ status: 422, body: { details: [{ param: 'source.type' }] } });
    expect(api.client.calls).toEqual([]);
  });
});

describe('GET …/pagos/devolucion/:id', () => {
  it.each(['/api/v2/pagos/devolucion', '/pagos/devolucion'])('should read the last refund of a payment, or the one named, below %s (A2)', async (path) => {
    const first = await devolucion('{"amount":1.00}');
    play({ state: 'approved', receipt: { providerStatus: 'approved' } });
    const second = await devolucion('{"amount":2.00}');
    expect(await ask('GET', `${path}/${paymentId}`)).toMatchObject({ status: 200, body: second.body });
    expect(second.body).toMatchObject({ status: 'approved' });
    const firstId = (first.body as { id: string }).id;
    for (const named of [firstId, `tx_${firstId}`]) expect(await ask('GET', `${path}/${paymentId}?refund_id=${named}`)).toMatchObject({ status: 200, body: first.body });
  });

  it('should find the last refund with a reference of the caller\'s own, and none where there is none', async () => {
    const first = await devolucion('{"amount":1.00,"external_reference":"pedido-7"}');
    const second = await devolucion('{"amount":2.00,"external_reference":"pedido-7"}');
    await devolucion('{"amount":3.00,"external_reference":"pedido-8"}');
    expect(first.status).toBe(200);
    expect((await ask('GET', `/pagos/devolucion/${paymentId}?external_reference=pedido-7`)).body).toEqual(second.body);
    expect(await ask('GET', `/pagos/devolucion/${paymentId}?external_reference=pedido-9`)).toMatchObject({ status: 404 });
    expect(await ask('GET', `/pagos/devolucion/${paymentId}?external_reference=pedido-7`, '', { authorization: `Bearer ${OTHER_KEY}` })).toMatchObject({ status: 404 });
  });

  it('should refuse a query that it does not know, and any with a refund: an amount there would be a total refund', async () => {
    for (const [method, query, param] of [['GET', 'reference=x', 'reference'], ['POST', 'amount=5', 'amount'], ['POST', 'refund_id=x', 'refund_id'], ['DELETE', 'refund_id=x&external_reference=y', 'external_reference']] as const) {
      expect(await ask(method, `/pagos/devolucion/${paymentId}?${query}`)).toMatchObject({ status: 422, body: { details: [{ code: 'gateway.errors.parameter_validation.whitelist', param }] } });
    }
    expect(api.client.calls).toEqual([]);
  });

  it('should not tell of a refusal that came to nothing but by its name, and never of another payment\'s or merchant\'s refund', async () => {
    const made = await devolucion('{"amount":1.00}');
    const refused = await devolucion('{"amount":5000}', { 'idempotency-key': 'k-refused' });
    expect((await ask('GET', `/pagos/devolucion/${paymentId}`)).body).toEqual(made.body);
    expect(await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${String(refused.headers['reintegro-refund-id'])}`)).toMatchObject({ status: 200, body: { status: 'rejected', status_detail: 'amount_exceeds_remaining', amount: 5000 } });
    const { id } = made.body as { id: string };
    await recordPayment(api.db, 'm_one', `${paymentId}-other`);
    api.client.reset({ orderOfRefund: async () => { throw new NotRunningError('over'); } });
    for (const [url, key] of [[`/pagos/devolucion/${paymentId}-other?refund_id=${id}`, KEY], [`/pagos/devolucion/${paymentId}?refund_id=${id}`, OTHER_KEY], [`/pagos/devolucion/${paymentId}`, OTHER_KEY], [`/pagos/devolucion/${paymentId}?refund_id=nope`, KEY]] as const) {
      expect(await ask('GET', url, '', { authorization: `Bearer ${key}` })).toMatchObject({ status: 404, body: { object: 'error', details: [{ code: 'gateway.errors.resource_not_found.entity' }] } });
    }
  });

  it('should not show a payment as an order of the other face, nor give it back there', async () => {
    await devolucion('{"amount":1.00}');
    const { id } = (await ask('GET', `/pagos/devolucion/${paymentId}`)).body as { id: string };
    expect((await api.call('DELETE', `/orders/${paymentId}/refunds/${id}`)).status).toBe(404);
  });
});

describe('a refund that was taken in and is not on record yet (I3)', () => {
  const REFUND_ID = `rfd_${'0'.repeat(32)}`;

  it('should be told to whoever asks for it, and be called off, so that nobody asks for another one', async () => {
    api.client.reset({ orderOfRefund: async () => paymentId, cancelRefund: async () => null });
    const pending = { status: 200, body: { id: REFUND_ID, status: 'pending', status_detail: 'accepted', reference: paymentId, amount: 0 } };
    expect(await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${REFUND_ID}`)).toMatchObject(pending);
    expect(await ask('DELETE', `/pagos/devolucion/${paymentId}?refund_id=${REFUND_ID}`)).toMatchObject({ ...pending, status: 202 });
    expect(api.client.calls.find(({ method }) => method === 'cancelRefund')?.args.slice(0, 2)).toEqual(['m_one', REFUND_ID]);
  });

  it('should not exist for another payment, nor when nobody knows it, and be unknown while nobody can say', async () => {
    api.client.reset({ orderOfRefund: async () => 'pay-another' });
    expect((await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${REFUND_ID}`)).status).toBe(404);
    api.client.reset({ orderOfRefund: async () => { throw new NotRunningError('no'); } });
    expect((await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${REFUND_ID}`)).status).toBe(404);
    api.client.reset({ orderOfRefund: async () => { throw new TemporalUnavailableError('down'); } });
    expect((await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${REFUND_ID}`)).status).toBe(503);
    api.client.reset();
    for (const id of ['nope', 'rfd_1', '']) expect((await ask('GET', `/pagos/devolucion/${paymentId}?refund_id=${id}`)).status).toBe(404);
    expect(api.client.calls).toEqual([]);
  });
});

describe('a charge that becomes known from elsewhere', () => {
  it('should not make another refund of a request that was answered before (R8)', async () => {
    api.client.reset({ requestRefund: (refund) => playDevolucion(api.db, refund) });
    const id = `ch-${payments}`;
    const first = await devolucion('', { 'idempotency-key': 'k-before' }, id);
    expect(first.status).toBe(404);
    await rememberCharges(api.db, 'm_one', { provider: 'conekta', orderId: 'ord_x', currency: 'MXN' }, [id]);
    expect(await devolucion('', { 'idempotency-key': 'k-before' }, id)).toMatchObject({ status: 404, headers: { 'idempotent-replayed': 'true' } });
    expect(api.client.calls).toHaveLength(1);
    await devolucion('', { 'idempotency-key': 'k-after' }, id);
    expect(api.client.calls[1]?.args[0]).toMatchObject({ provider: undefined, orderId: 'ord_x' });
  });

  it.each(['CLP', 'JPY', 'KWD'])('should be refused in %s, whose minor units are no hundredths (M1)', async (currency) => {
    const id = `ch-${currency}`;
    await rememberCharges(api.db, 'm_one', { provider: 'conekta', orderId: `ord_${currency}`, currency }, [id]);
    api.client.reset();
    expect(await devolucion('{"amount":100.00}', {}, id)).toMatchObject({ status: 422, body: { details: [{ code: 'gateway.errors.parameter_validation.currency.not_supported' }] } });
    expect(api.client.calls).toEqual([]);
    const orderId = `ord_2tgvDBAmxTMq${currency}`;
    await recordOrder(api.db, 'm_one', { ...(seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>), currency }, orderId);
    await playRefund(api.db, { merchantId: 'm_one', orderId, chargeId: chargeIdOf(orderId, 0), amountMinor: 100, idempotencyKey: currency, requestedBy: 'key' });
    expect((await ask('GET', `/pagos/devolucion/${chargeIdOf(orderId, 0)}`)).status).toBe(422);
  });
});

describe('DELETE …/pagos/devolucion/:id', () => {
  it('should call a refund off that was not sent, and say which one must be named (R4)', async () => {
    await api.db.updateTable('merchants').set({ cancellation_window_ms: 60_000 }).where('merchant_id', '=', 'm_one').execute();
    const made = await devolucion('{"amount":1.00}');
    await api.db.updateTable('merchants').set({ cancellation_window_ms: 0 }).where('merchant_id', '=', 'm_one').execute();
    expect(made.body).toMatchObject({ status: 'deferred' });
    const { id } = made.body as { id: string };
    expect(await ask('DELETE', `/api/v2/pagos/devolucion/${paymentId}`)).toMatchObject({ status: 422, body: { details: [{ param: 'refund_id' }] } });
    api.client.reset({ cancelRefund: async (merchantId, refundId) => {
      await api.db.updateTable('refunds').set({ status: 'cancelled', status_detail: 'by_request' }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
      return { refundId, orderId: paymentId, status: 'cancelled', statusDetail: 'by_request', refusal: null, amountMinor: 100, currency: 'ARS', fingerprint: '', needsAttention: false };
    } });
    expect(await ask('DELETE', `/api/v2/pagos/devolucion/${paymentId}?refund_id=${id}`)).toMatchObject({ status: 200, body: { id, status: 'cancelled', status_detail: 'by_request' } });
    expect(await ask('DELETE', `/pagos/devolucion/${paymentId}?refund_id=${id}`)).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
  });

  it('should refuse it once the money is on its way, unchanged (R4)', async () => {
    const { id } = (await devolucion('{"amount":1.00}')).body as { id: string };
    expect(await ask('DELETE', `/pagos/devolucion/${paymentId}?refund_id=${id}`, '', { 'accept-language': 'en' })).toMatchObject({ status: 428, body: { details: [{ code: 'gateway.errors.precondition_required.refund.is_refunded', message: 'The refund can not be cancelled.' }] } });
  });
});
