import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectDone, FACE_NAMES, refundFace, refundPath } from '../../support/refund-faces.ts';
import type { FaceName, Paid } from '../../support/refund-faces.ts';
import { CARD_NUMBER, expectError, inSeconds, payoutOrderRequest } from '../contract-scene.ts';
import type { Answer, Body, CallOptions, ContractScene } from '../contract-scene.ts';

/** Planted where they do not belong; neither an answer nor a line of output may hold one of them (I7). */
export const CANARIES = {
  card: CARD_NUMBER, email: 'canary@reintegro.example', key: 'key_canary_8f3a61', name: 'Canario Amarillo', phone: '+5215512345678',
} as const;

const DEVOLUCION = '/api/v2/pagos/devolucion/pay-1';

/** Status, type and parameter of a refusal. */
type Refusal = readonly [status: number, type: string, param: string | null];

const MALFORMED: Refusal = [400, 'malformed_request_error', null];
const UNAUTHENTICATED: Refusal = [401, 'authentication_error', null];
const FORBIDDEN: Refusal = [403, 'authentication_error', null];
const NOT_FOUND: Refusal = [404, 'resource_not_found_error', null];
const TOO_LARGE: Refusal = [413, 'malformed_request_error', null];
const WRONG_TYPE: Refusal = [415, 'malformed_request_error', null];
const invalid = (param: string | null): Refusal => [422, 'parameter_validation_error', param];

/** Numbers that are no amount, as they are written on the wire (M1). */
const NO_AMOUNTS = ['10.5', '1.0', '1e3', '-1', '0', '-0', '9007199254740992', '1e400', '"100"', 'null', 'true', '[100]', '{}'];

/** The same where amounts have two places (docs/gateway-dialect.md). */
const NO_DECIMALS = ['100.505', '1e2', '1.0e0', '-1', '-1.00', '0', '0.00', '-0.00', '90071992547409.92', '1e400', '"100.00"', 'null', 'true', '[100]', '{}'];

/** A body and its refusal. */
type BadBody = readonly [name: string, body: string | Uint8Array, refusal: Refusal];

/** Bodies that neither endpoint takes. */
const NO_BODIES: readonly BadBody[] = [
  ['half a body', '{"amount":1', MALFORMED],
  ['a trailing comma', '{"amount":1,}', MALFORMED],
  ['two bodies', '{}{}', MALFORMED],
  ['no UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), MALFORMED],
  ['a list', '[{"amount":1}]', invalid(null)],
  ['a text', '"amount"', invalid(null)],
  ['null', 'null', invalid(null)],
  ['more than 64 kB', JSON.stringify({ reason: 'x'.repeat(70_000) }), TOO_LARGE],
];

/** Requests that cannot be understood or are not allowed: the dialect's error, nothing moved, nothing shown or logged that should not be. */
export function badInputSuite(scene: () => ContractScene): void {
  describe('bad input', () => {
    let order: Body;
    beforeAll(async () => { order = await scene().createOrder([30_000, 20_000]); });
    const refunds = (): string => `/orders/${order.id}/refunds`;

    badOrderRefunds(scene, refunds);
    for (const face of FACE_NAMES) describe(`over the face of ${face}`, () => badRefunds(scene, face));
    badPayoutOrders(scene);
    badCredentials(scene, refunds);
    badPaths(scene);
    canaries(scene, refunds);

    afterAll(async () => {
      // After all of it the order is as it was: whole, and refundable to the last centavo.
      const { body } = await scene().call('GET', `/orders/${order.id}`);
      expect(body).toMatchObject({ payment_status: 'paid', amount_refunded: 0, is_refundable: true });
    });
  });
}

async function expectRefused(scene: ContractScene, method: string, path: string, options: CallOptions, [status, type, param]: Refusal, face: FaceName = 'conekta'): Promise<Answer> {
  const answer = await scene.whileNothingMoves(() => scene.call(method, path, options));
  expect(expectError(answer, status, type, face).param).toBe(param);
  return answer;
}

/** What only a refund of an order can have wrong: its charge, and its reason, which is one of a list. */
function badOrderRefunds(scene: () => ContractScene, path: () => string): void {
  it.each<BadBody>([
    ['a misspelt charge', '{"chargeId":"x","amount":100}', invalid('chargeId')],
    ['a reason that is none', '{"reason":"because"}', invalid('reason')],
    ['a charge that is no id', '{"charge_id":"../../orders"}', invalid('charge_id')],
    ['a charge that is null', '{"charge_id":null}', invalid('charge_id')],
    ['a card number', `{"charge_id":"${CANARIES.card}"}`, invalid('charge_id')],
  ])('should be refused: a refund of an order with %s', async (_, body, refusal) => {
    await expectRefused(scene(), 'POST', path(), { body }, refusal);
  });
}

/** What is no refund over either face. */
function badRefunds(scene: () => ContractScene, face: FaceName): void {
  let paid: Paid;
  beforeAll(async () => { paid = await refundFace(face, scene().product).pay(30_000); });
  const refuse = (options: CallOptions, refusal: Refusal): Promise<Answer> => expectRefused(scene(), 'POST', refundPath(paid), options, refusal, face);

  it.each<BadBody>([
    ...NO_BODIES,
    ...(face === 'conekta' ? NO_AMOUNTS : NO_DECIMALS).map((amount) => [`the amount ${amount}`, `{"amount":${amount}}`, invalid('amount')] as const),
    ['a misspelt amount', '{"ammount":100}', invalid('ammount')],
    ['an amount given twice', '{"amount":1,"amount":50000}', invalid('amount')],
    ['an amount given twice, once in disguise', '{"amount":1,"\\u0061mount":50000}', invalid('amount')],
    ['a card number for a reason', `{"reason":"${CANARIES.card}"}`, invalid('reason')],
  ])('should be refused: a refund with %s', async (_, body, refusal) => {
    await refuse({ body }, refusal);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml'])('should be refused: a refund in %s', async (type) => {
    await refuse({ body: '{"amount":100}', headers: { 'content-type': type } }, WRONG_TYPE);
  });

  it('should be refused: a refund in a content encoding that nobody undoes', async () => {
    await refuse({ body: '{"amount":100}', headers: { 'content-encoding': 'gzip' } }, WRONG_TYPE);
  });

  it('should be refused: a refund without a key, with an unknown one and with a rail’s (CONTRACT §1)', async () => {
    await refuse({ body: '{"amount":', key: null }, UNAUTHENTICATED);
    await refuse({ body: '{"amount":', key: CANARIES.key }, UNAUTHENTICATED);
    await refuse({ body: '{}', key: 'key_demo_rail' }, FORBIDDEN);
  });

  it('should have left all of it to be given back', async () => {
    expectDone(await refundFace(face, scene().product).refund(paid, {}), paid, 30_000);
  });
}

function badPayoutOrders(scene: () => ContractScene): void {
  const text = (changes: Record<string, unknown>): string => JSON.stringify(payoutOrderRequest(changes));
  const required = ['allowed_payout_methods', 'amount', 'currency', 'customer_info', 'payout', 'reason', 'expires_at'];

  it.each<BadBody>([
    ...NO_BODIES,
    ...NO_AMOUNTS.map((amount) => [`the amount ${amount}`, text({}).replace('"amount":3000', `"amount":${amount}`), invalid('amount')] as const),
    ...required.map((field) => [`no ${field}`, text({ [field]: undefined }), invalid(field)] as const),
    ['a misspelt field', text({ ammount: 1 }), invalid('ammount')],
    ['an expiry in the past', text({ expires_at: inSeconds(-1) }), invalid('expires_at')],
    ['an expiry in milliseconds', text({ expires_at: inSeconds(60) * 1000 }), invalid('expires_at')],
    ['an unknown currency', text({ currency: 'PESOS' }), invalid('currency')],
    ['an unknown method', text({ allowed_payout_methods: ['cheque'] }), invalid('allowed_payout_methods.0')],
    ['an unknown type of method', text({ payout: { payout_method: { type: 'cheque' } } }), invalid('payout.payout_method.type')],
    ['no customer', text({ customer_info: {} }), invalid('customer_info.customer_id')],
    ['metadata that is no object', text({ metadata: [1] }), invalid('metadata')],
    ['101 metadata keys', text({ metadata: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, index])) }), invalid('metadata')],
    ['a card number in its metadata', text({ metadata: { note: `card ${CANARIES.card}` } }), invalid('metadata')],
  ])('should be refused: a payout order with %s', async (_, body, refusal) => {
    await expectRefused(scene(), 'POST', '/payout_orders', { body }, refusal);
  });

  it('should name a missing field as the contract does, in both languages (CONTRACT §6)', async () => {
    const ask = (headers: Record<string, string>): Promise<Answer> => scene().call('POST', '/payout_orders', { body: payoutOrderRequest({ allowed_payout_methods: undefined }), headers });
    const detail = { debug_message: 'The "allowed_payout_methods" is missing.', param: 'allowed_payout_methods', code: 'conekta.errors.parameter_validation.allowed_payout_methods.missing' };
    expect((await ask({})).body.details).toEqual([{ ...detail, message: 'El parametro "allowed_payout_methods" es requerido.' }]);
    expect((await ask({ 'accept-language': 'en' })).body.details).toEqual([{ ...detail, message: detail.debug_message }]);
  });
}

function badCredentials(scene: () => ContractScene, refunds: () => string): void {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each<[string, Record<string, string>]>([
    ['no key', {}], ['an empty header', { authorization: '' }], ['an unknown key', { authorization: `Bearer ${CANARIES.key}` }], ['an unknown key by Basic', { authorization: basic(`${CANARIES.key}:`) }],
    ['the key as the password', { authorization: basic(':key_demo') }], ['another scheme', { authorization: 'Digest key_demo' }], ['the bare key', { authorization: 'key_demo' }], ['the key in another case', { authorization: 'Bearer KEY_DEMO' }],
  ])('should be refused before anything else: %s (CONTRACT §1)', async (_, headers) => {
    const attempts: readonly [string, string, CallOptions][] = [
      ['POST', refunds(), { body: '{"amount":' }], ['POST', '/payout_orders', { body: {} }], ['GET', '/payout_orders/x', {}], ['PUT', '/payout_orders/x/cancel', {}], ['GET', '/orders', {}], ['GET', '/nowhere', {}],
    ];
    for (const [method, path, options] of attempts) {
      const answer = await expectRefused(scene(), method, path, { ...options, key: null, headers }, UNAUTHENTICATED);
      expect(answer.body.details).toEqual([{
        debug_message: 'Please include your access key in your request.', message: 'Acceso no autorizado.', param: null, code: 'conekta.errors.authentication.missing_key',
      }]);
    }
  });

  it('should be refused: a rail key where merchants move money', async () => {
    for (const [method, path] of [['POST', refunds()], ['POST', '/payout_orders'], ['PUT', '/payout_orders/x/cancel'], ['GET', '/payout_orders'], ['POST', '/orders']] as const) {
      await expectRefused(scene(), method, path, { key: 'key_demo_rail' }, FORBIDDEN);
    }
  });

  it('should take the key by Basic with anything as the password', async () => {
    expect((await scene().call('GET', '/payout_orders', { key: null, headers: { authorization: basic('key_demo:ignored') } })).status).toBe(200);
  });
}

function badPaths(scene: () => ContractScene): void {
  it.each(['a%2Fb%20c', 'ord_1%2Frefunds', '%00', '..%2F..%2Fsandbox', 'x'.repeat(300), '%E0%A4%A', `${CARD_NUMBER}`, "'%20OR%201=1--"])('should know nothing under the id %s (CONTRACT §9)', async (id) => {
    for (const [method, path] of [['POST', `/orders/${id}/refunds`], ['GET', `/orders/${id}`], ['GET', `/payout_orders/${id}`], ['PUT', `/payout_orders/${id}/cancel`], ['DELETE', `/orders/ord_1/refunds/${id}`]] as const) {
      await expectRefused(scene(), method, path, {}, NOT_FOUND);
    }
  });

  it.each(['a%2Fb%20c', 'x%2Fdevolucion', '%00', '..%2F..%2Fsandbox', 'x'.repeat(300), '%E0%A4%A', `${CARD_NUMBER}`, "'%20OR%201=1--"])('should know no payment under the id %s, at either address (A2)', async (id) => {
    for (const prefix of ['/api/v2', '']) {
      for (const [method, path] of [['POST', id], ['GET', id], ['GET', `pay-1?refund_id=${id}`], ['DELETE', `pay-1?refund_id=${id}`]] as const) {
        const answer = await scene().whileNothingMoves(() => scene().call(method, `${prefix}/pagos/devolucion/${path}`));
        expect(answer.status, path).toBe(404);
        expect(JSON.stringify(answer.body)).not.toContain(CARD_NUMBER);
      }
    }
  });

  it.each([['PUT', '/api/v2/pagos/devolucion/x'], ['GET', '/api/v2/pagos/x'], ['POST', '/pagos'], ['GET', '/pagos/devolucion']])('should know no %s %s, in the words of the gateway (A2)', async (method, path) => {
    await expectRefused(scene(), method, path, {}, NOT_FOUND, 'gateway');
  });

  it.each([['PATCH', '/payout_orders'], ['DELETE', '/payout_orders/x'], ['POST', '/orders/x/capture'], ['GET', '/sandbox/journal'], ['GET', '/webhooks']])('should know no %s %s (A1)', async (method, path) => {
    await expectRefused(scene(), method, path, {}, NOT_FOUND);
  });
}

function canaries(scene: () => ContractScene, refunds: () => string): void {
  it('should never be shown: a card number, a person, a key (I7)', async () => {
    const person = { name: CANARIES.name, email: CANARIES.email, phone: CANARIES.phone };
    const answers = [
      await scene().call('POST', refunds(), { body: { charge_id: CANARIES.card } }),
      await scene().call('POST', refunds(), { body: { [CANARIES.email]: 1, [CANARIES.card]: 1 } }),
      await scene().call('POST', refunds(), { body: `{"reason":"${CANARIES.email}", ${CANARIES.card}` }),
      await scene().call('POST', refunds(), { body: {}, headers: { 'idempotency-key': `${CANARIES.email}${'k'.repeat(255)}` } }),
      await scene().call('POST', DEVOLUCION, { body: { reason: CANARIES.card } }),
      await scene().call('POST', DEVOLUCION, { body: { [CANARIES.email]: 1, [CANARIES.card]: 1 } }),
      await scene().call('POST', DEVOLUCION, { body: `{"reason":"${CANARIES.email}", ${CANARIES.card}` }),
      await scene().call('POST', DEVOLUCION, { body: { source: { type: 'customer', id: CANARIES.name } } }),
      await scene().call('POST', DEVOLUCION, { body: { metadata: { note: CANARIES.card } } }),
      await scene().call('GET', `/api/v2/pagos/devolucion/${encodeURIComponent(CANARIES.email)}?refund_id=${encodeURIComponent(CANARIES.phone)}`),
      await scene().call('GET', DEVOLUCION, { key: CANARIES.key }),
      await scene().call('POST', '/payout_orders', { body: payoutOrderRequest({ customer_info: { customer_id: 'cus_1', ...person } }) }),
      await scene().call('GET', `/payout_orders/${encodeURIComponent(CANARIES.email)}`),
      await scene().call('GET', '/payout_orders', { key: CANARIES.key }),
      await scene().call('GET', `/v1/money_movements?charge_id=x&${encodeURIComponent(CANARIES.email)}=1`),
    ];
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      for (const canary of Object.values(CANARIES)) expect(JSON.stringify(answer.body)).not.toContain(canary);
    }
  });
}
