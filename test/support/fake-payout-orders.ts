import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { ProviderPayoutOrder } from '../../src/providers/provider.ts';

/** A payout order at the fake provider. */
export interface FakePayoutOrder {
  readonly providerPayoutOrderId: string;
  readonly reference: string;
  readonly createdAt: Date;
  status: PayoutOrderStatus;
}

/** The payout orders of a fake provider. Ids are the provider's, references ours. */
export interface FakePayoutOrders {
  readonly all: readonly FakePayoutOrder[];
  create(reference: string): ProviderPayoutOrder;
  /** Throws `not_found`. */
  get(id: string): ProviderPayoutOrder;
  /** Looks no further back than `createdAfter`. */
  find(reference: string, createdAfter: Date): ProviderPayoutOrder | null;
  /** Throws `declined` when the cash is out, `not_found` when there is none. */
  cancel(id: string): ProviderPayoutOrder;
}

function told(order: FakePayoutOrder): ProviderPayoutOrder {
  return { providerPayoutOrderId: order.providerPayoutOrderId, reference: order.reference, payoutId: null, status: order.status };
}

/** Makes the payout orders of a fake provider, which issues them in the status given. */
export function createFakePayoutOrders(issuedStatus: PayoutOrderStatus): FakePayoutOrders {
  const all: FakePayoutOrder[] = [];
  const byId = (id: string): FakePayoutOrder => {
    const order = all.find((candidate) => candidate.providerPayoutOrderId === id);
    if (order === undefined) throw new ProviderError('not_found', 'no such payout order');
    return order;
  };
  return {
    all,
    create: (reference) => {
      const created: FakePayoutOrder = { providerPayoutOrderId: `prov_${reference}_${all.length + 1}`, reference, createdAt: new Date(), status: issuedStatus };
      all.push(created);
      return told(created);
    },
    get: (id) => told(byId(id)),
    find: (reference, createdAfter) => {
      const order = all.find((candidate) => candidate.reference === reference && candidate.createdAt >= createdAfter);
      return order === undefined ? null : told(order);
    },
    cancel: (id) => {
      const order = byId(id);
      if (order.status !== 'pending' && order.status !== 'pending_confirmation' && order.status !== 'cancelled') throw new ProviderError('declined', 'cash is out');
      order.status = 'cancelled';
      return told(order);
    },
  };
}
