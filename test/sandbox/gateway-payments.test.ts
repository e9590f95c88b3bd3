import { describe, expect, it } from 'vitest';
import { expectGatewayError, expectMessages } from './dialects.ts';
import { createCardOrder, createPayment, startSandbox } from './start-sandbox.ts';

const WORDS = [
  'pending', 'approved', 'authorized', 'in_process', 'rejected', 'cancelled', 'refunded', 'deferred', 'dismissed', 'review', 'validate',
] as const;

describe('POST /pagos', () => {
  it('should make a payment that is approved, in pesos it does not name, and show it with and without /api/v2 (X1)', async () => {
    const sandbox = await startSandbox();
    const made = await sandbox.call('POST', '/pagos', '{"amount":100}');
    expect(made.status).toBe(200);
    expect(made.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(made.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/), object: 'payment', status: 'approved', status_detail: null, type: 'online', amount: 100,
      external_reference: null, metadata: {}, refunds: [],
    });
    for (const prefix of ['', '/api/v2']) expect((await sandbox.call('GET', `${prefix}/pagos/${made.body.id}`)).text).toBe(made.text);
    expect((await sandbox.call('POST', '/api/v2/pagos', '{"amount":1}')).status).toBe(200);
  });

  it('should keep id, currency, type, reference and metadata as they were given, numbers to the letter (M1)', async () => {
    const sandbox = await startSandbox();
    const metadata = '{"order":"A-1","weights":[1.50,12345678901234567890,1e3]}';
    const body = `{"id":"pay-1","amount":90071992547409.91,"currency_id":"UYU","type":"manual","external_reference":"mine","metadata":${metadata}}`;
    const { status, text } = await sandbox.call('POST', '/pagos', body);
    expect(status).toBe(200);
    for (const part of ['"id":"pay-1"', '"amount":90071992547409.91', '"currency_id":"UYU"', '"type":"manual"', '"external_reference":"mine"', `"metadata":${metadata}`]) {
      expect(text).toContain(part);
    }
    expect((await sandbox.call('POST', '/pagos/devolucion/pay-1', '{"amount":90071992547409.90}')).text).toContain('"amount":90071992547409.90,');
    const { body: journal } = await sandbox.call('GET', '/sandbox/journal?charge_id=pay-1');
    expect(journal.data).toMatchObject([{ kind: 'refund', amount: 9_007_199_254_740_990, currency: 'UYU' }]);
  });

  it('should refuse an id that there is, whoever made it, and change nothing', async () => {
    const sandbox = await startSandbox();
    await createPayment(sandbox, '5.00', { id: 'twice' });
    const order = await createCardOrder(sandbox, 100);
    for (const id of ['twice', order.id, order.charges.data[0].id]) {
      const { status, body } = await sandbox.call('POST', '/pagos', { id, amount: 9 }, { authorization: 'Bearer key_other' });
      expect([status, body.details[0].code]).toEqual([409, 'gateway.errors.conflict.id']);
    }
    expect((await sandbox.call('GET', '/pagos/twice')).text).toContain('"amount":5.00,');
  });

  it.each(['100.505', '1e2', '-1.00', '"100.00"', '0', '0.00', '01', '90071992547409.92', 'null', 'true', '{}'])('should refuse the amount %s, of a payment and of a refund (M1)', async (amount) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '100.00');
    for (const path of ['/pagos', `/pagos/devolucion/${id}`]) {
      const { status, body } = await sandbox.call('POST', path, `{"amount":${amount}}`);
      expectGatewayError(body);
      // What is no JSON at all is no parameter either.
      expect([status, body.details[0].param]).toEqual(amount === '01' ? [400, null] : [422, 'amount']);
    }
    expect(await sandbox.journal()).toEqual([]);
  });

  it.each([['100', '100.00'], ['100.5', '100.50'], ['100.50', '100.50'], ['0.01', '0.01']])('should read the amount %s as %s (M1)', async (amount, written) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, amount);
    const { text, body } = await sandbox.call('POST', `/pagos/devolucion/${id}`, `{"amount":${amount}}`);
    expect(text).toContain(`"amount":${written},`);
    expectMessages(text, [body]);
  });
});

describe('payments by status', () => {
  it.each(WORDS)('should make a %s payment, refundable only when it was credited and is not contested (X1)', async (status) => {
    const sandbox = await startSandbox();
    const { id, ...made } = await createPayment(sandbox, '100.00', { status });
    expect(made.status).toBe(status);
    const { status: answered, body } = await sandbox.call('POST', `/pagos/devolucion/${id}`);
    if (status === 'approved' || status === 'refunded') {
      expect([answered, body.status, body.amount]).toEqual([200, 'refunded', 100]);
      return;
    }
    expectGatewayError(body);
    expect([answered, body.type, body.details]).toEqual([428, 'precondition_required_error', [{
      debug_message: 'The payment can not be refunded.', message: 'No se puede devolver el pago.', param: null,
      code: 'gateway.errors.precondition_required.payment.is_not_refundable',
    }]]);
    expect(await sandbox.journal()).toEqual([]);
  });
});

describe('the two dialects', () => {
  it('should keep payments out of Conekta’s addresses, and orders out of the gateway’s (X1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const { id } = await createPayment(sandbox, '50.00');
    const unpaid = await createPayment(sandbox, '50.00', { status: 'pending' });
    const answers = await Promise.all([
      sandbox.call('GET', `/orders/${id}`), sandbox.call('POST', `/orders/${id}/refunds`), sandbox.call('POST', `/orders/${order.id}/refunds`, { charge_id: id }),
      sandbox.call('POST', `/sandbox/orders/${unpaid.id}/pay`), sandbox.call('GET', `/pagos/${order.id}`), sandbox.call('POST', `/pagos/devolucion/${order.id}`),
      sandbox.call('GET', `/pagos/${order.charges.data[0].id}`), sandbox.call('GET', `/pagos/devolucion/${order.id}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    const { body } = await sandbox.call('GET', '/orders');
    expect([body.total, body.data.map((row: { id: string }) => row.id)]).toEqual([1, [order.id]]);
    expect(await sandbox.journal()).toEqual([]);
  });

  it('should show a payment to the key that made it only, and nothing without a key (X1)', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const other = { authorization: 'Bearer key_other' };
    const paths: [string, string][] = [['GET', `/pagos/${id}`], ['GET', `/pagos/devolucion/${id}`], ['POST', `/pagos/devolucion/${id}`]];
    for (const [method, path] of paths) {
      expect((await sandbox.call(method, path, undefined, other)).status).toBe(404);
      const { status, body } = await sandbox.call(method, `/api/v2${path}`, undefined, { authorization: '' });
      expect([status, body.details[0].code]).toEqual([401, 'gateway.errors.authentication.missing_key']);
    }
    expect((await sandbox.call('GET', `/pagos/${id}`, undefined, { authorization: `Basic ${btoa('key_demo:')}` })).status).toBe(200);
    expect(await sandbox.journal()).toEqual([]);
  });
});

describe('errors of the gateway', () => {
  it('should speak Spanish unless English is the first choice, in the same shape (CONTRACT §6)', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const refuse = async (headers: Record<string, string>) => sandbox.call('POST', `/pagos/devolucion/${id}`, '{"amount":50.01}', headers);
    const [spanish, english] = [await refuse({}), await refuse({ 'accept-language': 'en-US,es;q=0.5' })];
    for (const { body } of [spanish, english]) expectGatewayError(body);
    expect(spanish.body).toEqual({
      object: 'error', type: 'parameter_validation_error', log_id: expect.any(String), details: [{
        code: 'gateway.errors.parameter_validation.amount.exceeds_remaining', param: 'amount',
        message: 'El monto excede lo que resta por devolver.', debug_message: 'The "amount" exceeds what remains to be refunded.',
      }],
    });
    expect(english.body.details[0].message).toBe('The "amount" exceeds what remains to be refunded.');
  });

  it.each<[string, unknown, number, string | null]>([
    ['decline', '{}', 402, 'processing.refund.declined'], ['unavailable', '{}', 503, 'api.system.unavailable'], ['error_after', '{}', 500, 'api.system.general_failure'],
    ['rate_limited', '{}', 429, 'api.rate_limited'],
  ])('should name its own codes under %s (X4)', async (mode, body, status, code) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode, delay_ms: 6500 });
    const answer = await sandbox.call('POST', `/pagos/devolucion/${id}`, body);
    expect([answer.status, answer.body.details[0].code, answer.headers.get('retry-after')]).toEqual([status, `gateway.errors.${code}`, status === 429 ? '7' : null]);
    expect(answer.text).not.toMatch(/conekta/i);
  });

  it.each<[string, number, string | null]>([
    ['{', 400, null], ['[]', 422, 'body'], ['{"ammount":1}', 422, 'ammount'], ['{"type":"cash"}', 422, 'type'], ['{"metadata":[]}', 422, 'metadata'],
    ['{"metadata":"x"}', 422, 'metadata'], ['{"reason":7}', 422, 'reason'], ['{"external_reference":7}', 422, 'external_reference'],
  ])('should refuse the body %s with %d and move nothing (CONTRACT §6)', async (body, status, param) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const answer = await sandbox.call('POST', `/pagos/devolucion/${id}`, body);
    expectGatewayError(answer.body);
    expect([answer.status, answer.body.details[0].param]).toEqual([status, param]);
    expect(await sandbox.journal()).toEqual([]);
  });
});
