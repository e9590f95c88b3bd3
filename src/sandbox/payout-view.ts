import type { PayoutRecord } from './payout-records.ts';

/** Renders a payout order: the seed's fields, those OpenAPI requires, and the cash reference (CONTRACT §3; PRODUCT P7). */
export function renderPayoutOrder(record: PayoutRecord): Record<string, unknown> {
  return {
    id: record.id,
    amount: record.amount,
    currency: record.currency,
    allowed_payout_methods: JSON.parse(record.allowed_payout_methods) as unknown,
    reason: record.reason,
    // A payout order that is still open has no reference that could be collected.
    reference: record.status === 'open' ? null : record.reference,
    livemode: false,
    created_at: record.created_at,
    updated_at: record.updated_at,
    customer_info: JSON.parse(record.customer_info) as unknown,
    object: 'payout_order',
    expires_at: record.expires_at,
    metadata: JSON.parse(record.metadata) as unknown,
    status: record.status,
    payouts: [{
      id: record.payout_id,
      amount: record.amount,
      currency: record.currency,
      payout_order_id: record.id,
      livemode: false,
      status: record.status,
      payout_method: { object: 'payout_method', type: record.payout_method_type },
      object: 'payout',
      expires_at: record.expires_at,
    }],
  };
}
