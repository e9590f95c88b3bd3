import type { ProviderCall, ProviderRefundRequest } from '../../../src/providers/provider.ts';
import { respondText } from '../conekta/scripted-server.ts';
import type { Script } from '../conekta/scripted-server.ts';

/** A JSON object that a test changes. */
export type Json = Record<string, unknown>;

export const PAYMENT_ID = 'pago_7d1f';
export const OTHER_PAYMENT_ID = 'pago_0000';
export const LEG = 'ref_1:leg_1';

export const CALL: ProviderCall = { credential: 'key_canarySecret' };

export const REFUND: ProviderRefundRequest = {
  orderId: PAYMENT_ID, chargeId: PAYMENT_ID, amountMinor: 10_000, currency: 'ARS', reason: 'requested_by_client', reference: LEG,
};

/** A number that is written exactly so. */
export function number(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

/** A refund of the payment: every field of seed 003. */
export function message(over: Json = {}): Json {
  return {
    id: 'dev_1', status: 'refunded', status_detail: 'credited', type: 'online', reference: PAYMENT_ID, external_reference: LEG, amount: number('100.00'),
    reason: 'requested_by_client', transaction_id: 'tx_1', authorization_code: '1776', ticket_number: 'tk_1',
    fee_details: [
      { type: 'refund_cost', fee_payer: 'collector', description: 'Costo por reembolso', amount: number('3.50') },
      { type: 'discount', fee_payer: 'payer', description: null, amount: number('0.00') },
    ],
    source: { id: 'm_1', name: 'Comercio', type: 'collector' }, metadata: {}, ...over,
  };
}

/** A payment of 500.00 with no refunds. */
export function payment(over: Json = {}): Json {
  return {
    id: PAYMENT_ID, object: 'payment', status: 'approved', status_detail: null, type: 'online', amount: number('500.00'), currency_id: 'ARS',
    external_reference: 'cart-9', metadata: { seats: 2 }, refunds: [], ...over,
  };
}

/** An error as the gateway words it. */
export function refusal(code = 'gateway.errors.processing.refund.declined'): Json {
  return { object: 'error', type: 'processing_error', details: [{ code, message: 'no', debug_message: 'no', param: null }], log_id: 'log_1' };
}

/** The refusal of what does not exist. */
export const NOT_FOUND = refusal('gateway.errors.resource_not_found.entity');

/** Answers with a payment; and for a refund sought by its reference, with the one given, or with none. */
export function serve(shown: Json, found: Json | null = null): Script {
  return (response, request) => {
    const isLook = request.url.includes('external_reference=');
    const [status, body] = isLook ? [found === null ? 404 : 200, found ?? NOT_FOUND] : [200, shown];
    respondText(status, JSON.stringify(body), { 'content-type': 'application/json' })(response, request);
  };
}
