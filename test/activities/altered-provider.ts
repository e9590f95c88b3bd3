import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import type { ProviderOrder, ProviderRefundRequest } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { FakeProvider } from '../support/fake-provider.ts';

/** What is changed on the way to a provider, and back. */
export interface Alteration {
  /** Changes each request for a refund. */
  readonly request?: (request: ProviderRefundRequest) => ProviderRefundRequest;
  /** Changes each refund that an order shows; `null` hides it. */
  readonly refund?: (refund: ListedRefund) => ListedRefund | null;
}

/** A provider behind something that changes what it is asked and what it answers; its money and its calls are the same. */
export function altered(provider: FakeProvider, { request = (asked) => asked, refund = (shown) => shown }: Alteration): FakeProvider {
  const { adapter } = provider;
  const seen = (order: ProviderOrder): ProviderOrder => ({
    ...order, charges: order.charges.map((charge) => ({ ...charge, refunds: charge.refunds.map(refund).filter((shown) => shown !== null) })),
  });
  return {
    ...provider,
    adapter: {
      ...adapter,
      getOrder: async (call, orderId, sought) => seen(await adapter.getOrder(call, orderId, sought)),
      submitRefund: async (call, asked) => {
        const submitted = await adapter.submitRefund(call, request(asked));
        if (submitted.kind === 'order') return { kind: 'order', order: seen(submitted.order) };
        const shown = refund(submitted.refund);
        if (shown === null) throw new ProviderError('unknown', 'the answer does not show the refund');
        return { kind: 'refund', refund: shown };
      },
    },
  };
}
