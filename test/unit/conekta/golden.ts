import { readFileSync } from 'node:fs';
import { ProviderError } from '../../../src/providers/provider-error.ts';
import type { ProviderCall, ProviderPayoutOrderRequest, ProviderRefundRequest } from '../../../src/providers/provider.ts';

/** A JSON object that a test changes. */
export type Json = Record<string, unknown>;

/** A fresh copy of a seed's answer. */
export function seed(name: string): Json {
  return JSON.parse(readFileSync(new URL(`../../contract/fixtures/seeds/${name}.json`, import.meta.url), 'utf8')) as Json;
}

export const ORDER_ID = 'ord_2tgvDBAmxTMqSftQE';
export const FIRST_CHARGE_ID = '64377cfe77a374b7a7580b01';
export const PAYOUT_ORDER_ID = '4468474a-48ed-4732-9f8a-666238eaa0ac';
export const REFERENCE = '0b0f3c0e-6a5f-4d0e-9a43-5b1c3f1f7f10';

export const CALL: ProviderCall = { credential: 'key_canarySecret' };

export const REFUND: ProviderRefundRequest = {
  orderId: ORDER_ID,
  chargeId: FIRST_CHARGE_ID,
  amountMinor: 30000,
  currency: 'MXN',
  reason: 'requested_by_client',
  reference: 'leg-1',
};

export const PAYOUT: ProviderPayoutOrderRequest = {
  reference: REFERENCE,
  amountMinor: 3000,
  currency: 'MXN',
  allowedPayoutMethods: ['cash'],
  payoutMethodType: 'cash',
  customerId: 'cus_23874283647',
  reason: 'Referencia de devolución',
  expiresAt: 1700000000,
  metadata: { custom_client_id: '12345' },
};

/** The seed's payout order, carrying our reference as Conekta would echo it. */
export function goldenPayoutOrder(overrides: Json = {}): Json {
  return { ...seed('payout_order.cancel.response'), metadata: { custom_client_id: '12345', reintegro_id: REFERENCE }, ...overrides };
}

/** The two charges of the seed's order. */
export function chargesOf(order: Json): [Json, Json] {
  return (order['charges'] as { data: [Json, Json] }).data;
}

/** The nested list of a charge's refunds. */
export function refundsOf(charge: Json): { has_more: unknown; total: unknown; data: Json[] } {
  return charge['refunds'] as { has_more: unknown; total: unknown; data: Json[] };
}

/** The `ProviderError` a call rejects with; anything else, and success too, fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const outcome = await call.then(
    () => 'success',
    (error: unknown) => error,
  );
  if (outcome instanceof ProviderError) return outcome;
  throw new Error('expected a ProviderError', { cause: outcome });
}
