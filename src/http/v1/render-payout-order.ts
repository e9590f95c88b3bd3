import type { CaseRecord } from '../../store/cases.ts';
import type { PayoutOrderRecord } from '../../store/payout-orders/read.ts';

/** Renders a payout order on the native face (A3). Amount in minor units, times ISO-8601 in UTC. */
export function renderNativePayoutOrder(order: PayoutOrderRecord): Record<string, unknown> {
  return {
    id: order.payoutOrderId,
    status: order.status,
    status_detail: order.statusDetail,
    needs_attention: order.needsAttention,
    amount: order.amountMinor,
    currency: order.currency,
    allowed_payout_methods: order.allowedPayoutMethods,
    payout_method_type: order.payoutMethodType,
    customer_id: order.customerId,
    reason: order.reason,
    expires_at: order.expiresAt.toISOString(),
    created_at: order.createdAt.toISOString(),
    updated_at: order.updatedAt.toISOString(),
    metadata: order.metadata,
    provider: order.provider,
    provider_payout_order_id: order.providerPayoutOrderId,
  };
}

/** Renders the cases that are open, oldest first: what it is about, since when, and what may be done (O1). */
export function renderOpenCases(cases: readonly CaseRecord[]): readonly Record<string, unknown>[] {
  return cases.filter(({ status }) => status === 'open').map(({ kind, openedAt, actions }) => ({ kind, opened_at: openedAt.toISOString(), actions }));
}
