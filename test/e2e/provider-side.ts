import { expect } from 'vitest';
import { call, readRows } from './merchant-backend.ts';
import type { Answer, MerchantBackend, Movement } from './merchant-backend.ts';

/** A fault of the sandbox (PRODUCT X4), once. */
interface Fault {
  readonly operation: 'refund' | 'payout.create';
  /** Executed or not; either way the call gets no answer. */
  readonly mode: 'timeout' | 'hang';
  readonly charge_id?: string;
}

/** What the provider knows, and how to make it misbehave. */
export type ProviderSide = ReturnType<typeof providerSide>;

/** Looks at the provider's side of things. */
export function providerSide(sandboxUrl: string) {
  return {
    async arm(fault: Fault): Promise<void> {
      expect(await call('POST', `${sandboxUrl}/sandbox/faults`, { body: fault })).toMatchObject({ status: 200 });
    },
    /** The faults that have not hit a call yet. */
    async armed(): Promise<unknown> {
      return (await call('GET', `${sandboxUrl}/sandbox/faults`)).body;
    },
    /** What really moved on a charge or for a payout order. */
    journal: async (of: { readonly chargeId: string } | { readonly payoutOrderId: string }): Promise<readonly Movement[]> =>
      readRows(await call('GET', `${sandboxUrl}/sandbox/journal?${'chargeId' in of ? `charge_id=${of.chargeId}` : `payout_id=${of.payoutOrderId}`}`)),
    /** Acts at the till on a payout order, by our id. */
    till: (payoutOrderId: string, act: 'withdrawal' | 'confirmation'): Promise<Answer> => call('POST', `${sandboxUrl}/sandbox/payout_orders/${payoutOrderId}/${act}`, { body: {} }),
    /** The payout orders that carry our id. */
    findPayoutOrders: (payoutOrderId: string): Promise<Answer> => call('GET', `${sandboxUrl}/payout_orders?search=${payoutOrderId}`, { key: 'key_sandbox_demo' }),
  };
}

/** Checks that the provider moved these amounts, no more and no less, and that our books say exactly the same (I1, I2). Minor units. */
export async function expectMoved(provider: ProviderSide, backend: MerchantBackend, of: { readonly chargeId: string } | { readonly payoutOrderId: string }, amountsMinor: readonly number[]): Promise<void> {
  const kind = 'chargeId' in of ? 'refund' : 'withdrawal';
  const expected = amountsMinor.map((amount) => ({ kind, amount, currency: 'MXN' }));
  expect({ journal: await provider.journal(of), books: await backend.books(of) }).toEqual({ journal: expected, books: expected });
}
