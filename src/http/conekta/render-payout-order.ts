import type { PayoutOrderPage, PayoutOrderListing, PayoutOrderRecord } from '../../store/payout-orders/read.ts';

/** What a payout order's answer is made of. */
export type ShownPayoutOrder = Omit<PayoutOrderRecord, 'merchantId' | 'provider' | 'providerPayoutOrderId' | 'statusDetail' | 'fencedSend' | 'needsAttention' | 'workflowId'>;

/** Renders a payout order: the seed's fields and those OpenAPI requires (CONTRACT §3, P7). Minor units, unix seconds. */
export function renderPayoutOrder(order: ShownPayoutOrder): Record<string, unknown> {
  const money = { amount: order.amountMinor, currency: order.currency };
  const expires_at = unixSeconds(order.expiresAt);
  return {
    id: order.payoutOrderId,
    ...money,
    allowed_payout_methods: order.allowedPayoutMethods,
    reason: order.reason,
    livemode: false,
    created_at: unixSeconds(order.createdAt),
    updated_at: unixSeconds(order.updatedAt),
    customer_info: { id: order.customerId },
    object: 'payout_order',
    expires_at,
    metadata: order.metadata,
    status: order.status,
    payouts: [{
      id: order.payoutId,
      ...money,
      payout_order_id: order.payoutOrderId,
      livemode: false,
      status: order.status,
      payout_method: { object: 'payout_method', type: order.payoutMethodType },
      object: 'payout',
      expires_at,
    }],
  };
}

/** Renders a page with the addresses of its neighbours (CONTRACT, Lists). `address` is the list's own, without query. */
export function renderPayoutOrderPage(page: PayoutOrderPage, listing: PayoutOrderListing, address: string): Record<string, unknown> {
  const isBackwards = listing.next === undefined && listing.previous !== undefined;
  const hasOlder = isBackwards || page.hasMore;
  const hasNewer = isBackwards ? page.hasMore : listing.next !== undefined;
  const neighbour = (direction: 'next' | 'previous', order: PayoutOrderRecord | undefined): string | null => {
    if (order === undefined) return null;
    const query = new URLSearchParams({ limit: String(listing.limit), ...(listing.search === undefined ? {} : { search: listing.search }), [direction]: order.payoutOrderId });
    return `${address}?${query.toString()}`;
  };
  return {
    object: 'list',
    has_more: page.hasMore,
    next_page_url: hasOlder ? neighbour('next', page.items.at(-1)) : null,
    previous_page_url: hasNewer ? neighbour('previous', page.items[0]) : null,
    data: page.items.map(renderPayoutOrder),
  };
}

function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
