import { cardDeclined } from './conekta-refusals.ts';
import { newAuthCode, newCashReference } from './identifiers.ts';
import type { PaymentMethodRequest } from './order-requests.ts';

/** The token whose charge the bank refuses. */
const DECLINED_TOKEN = 'tok_test_card_declined';

const THIRTY_DAYS_SECONDS = 30 * 24 * 3600;

interface CardFace {
  readonly brand: string;
  readonly last4: string;
}

const TOKEN_FACES: readonly (readonly [RegExp, CardFace])[] = [
  [/mastercard/i, { brand: 'mastercard', last4: '4444' }],
  [/amex|american_express/i, { brand: 'american_express', last4: '8431' }],
];

/**
 * Turns a requested payment method into the one that is kept and shown. Of a card number only brand and last four digits remain.
 * @throws ConektaError 402 when the bank refuses the card.
 */
export function acceptPaymentMethod(request: PaymentMethodRequest, nowSeconds: number): Record<string, unknown> {
  return request.type === 'cash' ? acceptCash(request.expires_at ?? nowSeconds + THIRTY_DAYS_SECONDS) : acceptCard(request);
}

function acceptCash(expiresAt: number): Record<string, unknown> {
  return {
    service_name: 'OxxoPay', object: 'cash_payment', type: 'oxxo', expires_at: expiresAt, store_name: 'OXXO',
    reference: newCashReference(), barcode_url: null, auth_code: null,
  };
}

function acceptCard(request: Extract<PaymentMethodRequest, { type: 'card' }>): Record<string, unknown> {
  if (request.token_id === DECLINED_TOKEN) throw cardDeclined();
  const face = request.number === undefined ? faceOfToken(request.token_id ?? '') : faceOfNumber(request.number);
  return {
    name: request.name ?? 'Tarjeta de prueba',
    exp_month: request.exp_month ?? '12',
    exp_year: (request.exp_year ?? '34').slice(-2),
    auth_code: newAuthCode(),
    object: 'card_payment',
    type: 'credit',
    normalized_device_fingerprint: null,
    last4: face.last4,
    brand: face.brand,
    issuer: 'bbva',
    account_type: 'cuenta oro',
    country: 'MX',
    fraud_score: null,
    fraud_indicators: [],
  };
}

function faceOfToken(token: string): CardFace {
  return TOKEN_FACES.find(([pattern]) => pattern.test(token))?.[1] ?? { brand: 'visa', last4: '4242' };
}

function faceOfNumber(number: string): CardFace {
  const brand = /^3[47]/.test(number) ? 'american_express' : /^(5[1-5]|2[2-7])/.test(number) ? 'mastercard' : 'visa';
  return { brand, last4: number.slice(-4) };
}
