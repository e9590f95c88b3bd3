import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { renderError } from '../../../src/sandbox/conekta-error.ts';
import type { ConektaError } from '../../../src/sandbox/conekta-error.ts';
import { amountExceedsRemainder, chargeIdRequired, invalidParameter, notFound, orderNotReturnable, refundDeclined } from '../../../src/sandbox/conekta-refusals.ts';
import { CALL, ORDER_ID, PAYOUT, PAYOUT_ORDER_ID, REFUND, failureOf, seed } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
let adapter: ConektaAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createConektaAdapter({ baseUrl: server.baseUrl, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

const NOT_RETURNABLE = 'conekta.errors.precondition_required.combo.order.is_not_returnable';
const AMOUNT_INVALID = 'conekta.errors.parameter_validation.amount.invalid';
const withCode = (code: string): object => ({ object: 'error', type: 'processing_error', details: [{ code }] });

/** The failure of a refund that is answered so. */
function refundAnswered(httpStatus: number, body: object) {
  server.script(respond(httpStatus, body));
  return failureOf(adapter.submitRefund(CALL, REFUND));
}

function refundRefusedBySandbox({ content }: ConektaError) {
  return refundAnswered(content.status, renderError(content, 'es', 0));
}

describe('saysNothingLeft', () => {
  it('should be told of the seed\'s refusal of an order that is not returnable (S4, seed 002)', async () => {
    expect(await refundAnswered(428, seed('error.order_not_returnable.es'))).toMatchObject({
      kind: 'declined', details: { httpStatus: 428, providerCode: NOT_RETURNABLE, saysNothingLeft: true },
    });
  });

  it.each([400, 402, 404, 409, 422, 428])('should be told by the code, whatever the status: %d (CONTRACT §5)', async (httpStatus) => {
    for (const code of [NOT_RETURNABLE, AMOUNT_INVALID, 'conekta.errors.parameter_validation.amount.greater_than_remainder']) {
      expect(await refundAnswered(httpStatus, withCode(code))).toMatchObject({ kind: 'declined', details: { httpStatus, providerCode: code, saysNothingLeft: true } });
    }
  });

  it.each<readonly [string, ConektaError]>([
    ['orderNotReturnable', orderNotReturnable()],
    ['amountExceedsRemainder', amountExceedsRemainder()],
  ])('should be told of what the sandbox answers when too little is left: %s (S4, X2)', async (_name, error) => {
    expect(await refundRefusedBySandbox(error)).toMatchObject({ kind: 'declined', details: { saysNothingLeft: true } });
  });

  it.each<readonly [string, ConektaError]>([
    ['refundDeclined', refundDeclined()],
    ['chargeIdRequired', chargeIdRequired({ id: ORDER_ID })],
    ['notFound', notFound('Charge', 'x')],
    ['a wrong reason', invalidParameter('reason', 'no', 'no')],
  ])('should not be told of other refusals: %s (S4)', async (_name, error) => {
    const failure = await refundRefusedBySandbox(error);
    expect(failure.kind).toBe('declined');
    expect(failure.details).not.toHaveProperty('saysNothingLeft');
  });

  it.each([
    `${NOT_RETURNABLE}_yet`,
    'conekta.errors.precondition_required.payout_order.is_not_cancellable',
    'conekta.errors.parameter_validation.amount',
    'conekta.errors.parameter_validation.amount_refunded.invalid',
    'conekta.errors.parameter_validation.charge_id.amount.invalid',
  ])('should not be told by a code that only resembles one: %s (S4)', async (code) => {
    const failure = await refundAnswered(422, withCode(code));
    expect(failure.kind).toBe('declined');
    expect(failure.details).not.toHaveProperty('saysNothingLeft');
  });

  it('should not be told of a request that is no refund: there the code speaks of something else', async () => {
    server.script(respond(422, withCode(AMOUNT_INVALID)));
    for (const call of [() => adapter.createPayoutOrder(CALL, PAYOUT), () => adapter.cancelPayoutOrder(CALL, PAYOUT_ORDER_ID), () => adapter.getOrder(CALL, ORDER_ID)]) {
      const failure = await failureOf(call());
      expect(failure.details).toEqual({ httpStatus: 422, providerCode: AMOUNT_INVALID });
    }
  });

  it.each([401, 403, 429, 500, 503])('should not be told by an answer that is no refusal: %d (S4, S7)', async (httpStatus) => {
    const failure = await refundAnswered(httpStatus, withCode(NOT_RETURNABLE));
    expect(failure.kind).not.toBe('declined');
    expect(failure.details).not.toHaveProperty('saysNothingLeft');
  });
});
