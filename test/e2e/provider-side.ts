import { expect } from 'vitest';
import { z } from 'zod';
import { call, readRows } from './merchant-backend.ts';
import type { Answer, MerchantBackend, Movement } from './merchant-backend.ts';

/** A fault of the sandbox (PRODUCT X4), once where `times` is omitted. Delay in milliseconds. */
interface Fault {
  readonly operation: 'refund' | 'refund.find' | 'order.get' | 'payout.create';
  readonly mode: string;
  readonly times?: number;
  readonly delay_ms?: number;
  readonly charge_id?: string;
}

const armedSchema = z.object({ id: z.int(), times: z.int() });
const refundsSchema = z.object({ charges: z.object({ data: z.array(z.object({
  id: z.string(), refunds: z.object({ data: z.array(z.object({ id: z.string(), amount: z.int() })) }).nullable(),
})) }) });

/** One refund as the provider lists it. Positive minor units. */
export interface ListedRefund {
  readonly chargeId: string;
  readonly id: string;
  readonly amount: number;
}

/** What the provider knows, and how to make it misbehave. */
export type ProviderSide = ReturnType<typeof providerSide>;

/** Looks at the provider's side of things. */
export function providerSide(sandboxUrl: string) {
  return {
    /** Arms a fault; by the id answered it is found again among those that are left. */
    async arm(fault: Fault): Promise<number> {
      const answer = await call('POST', `${sandboxUrl}/sandbox/faults`, { body: fault });
      expect(answer).toMatchObject({ status: 200 });
      return armedSchema.parse(answer.body).id;
    },
    /** How many times each armed fault has still to hit, by its id; those used up are gone. */
    async left(): Promise<ReadonlyMap<number, number>> {
      const { data } = z.object({ data: z.array(armedSchema) }).parse((await call('GET', `${sandboxUrl}/sandbox/faults`)).body);
      return new Map(data.map(({ id, times }) => [id, times]));
    },
    disarm: (): Promise<Answer> => call('DELETE', `${sandboxUrl}/sandbox/faults`),
    /** The refunds that the provider lists on an order of the demo merchant. */
    async refundsOf(orderId: string): Promise<readonly ListedRefund[]> {
      const { charges } = refundsSchema.parse((await call('GET', `${sandboxUrl}/orders/${orderId}`, { key: 'key_sandbox_demo' })).body);
      return charges.data.flatMap((charge) => (charge.refunds?.data ?? []).map(({ id, amount }) => ({ chargeId: charge.id, id, amount: -amount })));
    },
    /** The faults that have not hit a call yet. */
    async armed(): Promise<unknown> {
      return (await call('GET', `${sandboxUrl}/sandbox/faults`)).body;
    },
    /** What really moved on a charge or for a payout order. */
    journal: async (of: { readonly chargeId: string } | { readonly payoutOrderId: string }): Promise<readonly Movement[]> =>
      readRows(await call('GET', `${sandboxUrl}/sandbox/journal?${'chargeId' in of ? `charge_id=${of.chargeId}` : `payout_id=${of.payoutOrderId}`}`)),
    /** What really moved, all of it. */
    journalOfAll: async (): Promise<readonly Movement[]> => readRows(await call('GET', `${sandboxUrl}/sandbox/journal`)),
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
