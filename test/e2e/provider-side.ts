import { expect } from 'vitest';
import { z } from 'zod';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import { readRows } from './merchant-backend.ts';
import type { Paid } from '../support/refund-faces.ts';
import type { MerchantBackend, Movement } from './merchant-backend.ts';

/** A fault of the sandbox (PRODUCT X4), once where `times` is omitted. Delay in milliseconds. */
interface Fault {
  readonly operation: 'refund' | 'refund.find' | 'order.get' | 'payout.create' | 'webhook';
  readonly mode: string;
  readonly times?: number;
  readonly delay_ms?: number;
  /** The gateway's word for where a refund stands. */
  readonly status?: string;
  readonly charge_id?: string;
}

const armedSchema = z.object({ id: z.int(), times: z.int() });
const refundsSchema = z.object({ charges: z.object({ data: z.array(z.object({
  id: z.string(), refunds: z.object({ data: z.array(z.object({ id: z.string(), amount: z.int() })) }).nullable(),
})) }) });

const paymentSchema = z.object({ refunds: z.array(z.object({ id: z.string(), status: z.string(), amount: z.number() })) });

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
    /** The refunds that the provider lists on an order or payment of the demo merchant. */
    async refundsOf({ face, orderId }: Pick<Paid, 'face' | 'orderId'>): Promise<readonly ListedRefund[]> {
      if (face === 'gateway') return refundsOfPayment(sandboxUrl, orderId);
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
    /** Gives a refund of the gateway one of its words by hand, by the provider's id of it. */
    sayStatus: (providerRefundId: string, status: string): Promise<Answer> => call('POST', `${sandboxUrl}/sandbox/refunds/${providerRefundId}/status`, { body: { status } }),
    /** Acts at the till on a payout order, by our id. */
    till: (payoutOrderId: string, act: 'withdrawal' | 'confirmation'): Promise<Answer> => call('POST', `${sandboxUrl}/sandbox/payout_orders/${payoutOrderId}/${act}`, { body: {} }),
    /** The payout orders that carry our id. */
    findPayoutOrders: (payoutOrderId: string): Promise<Answer> => call('GET', `${sandboxUrl}/payout_orders?search=${payoutOrderId}`, { key: 'key_sandbox_demo' }),
  };
}

async function refundsOfPayment(sandboxUrl: string, paymentId: string): Promise<readonly ListedRefund[]> {
  const { refunds } = paymentSchema.parse((await call('GET', `${sandboxUrl}/api/v2/pagos/${paymentId}`, { key: 'key_sandbox_demo' })).body);
  return refunds.map(({ id, amount }) => ({ chargeId: paymentId, id, amount: Math.round(amount * 100) }));
}

/** Something whose movements are known: a charge, pesos of Mexico unless it says otherwise, or a payout order. */
export type Moving = { readonly chargeId: string; readonly currency?: string } | { readonly payoutOrderId: string };

/** Checks that the provider moved these amounts, no more and no less, and that our books say exactly the same (I1, I2). Minor units. */
export async function expectMoved(provider: ProviderSide, backend: Pick<MerchantBackend, 'books'>, of: Moving, amountsMinor: readonly number[]): Promise<void> {
  const kind = 'chargeId' in of ? 'refund' : 'withdrawal';
  const currency = ('chargeId' in of ? of.currency : undefined) ?? 'MXN';
  const expected = amountsMinor.map((amount) => ({ kind, amount, currency }));
  expect({ journal: await provider.journal(of), books: await backend.books(of) }).toEqual({ journal: expected, books: expected });
}

/** The same for refunds that do not wait for one another: two may be executed in one order and booked in the other. */
export async function expectMovedInAnyOrder(provider: ProviderSide, backend: Pick<MerchantBackend, 'books'>, paid: Paid, amountsMinor: readonly number[]): Promise<void> {
  const inWords = (movements: readonly Movement[]): readonly string[] => movements.map(({ kind, amount, currency }) => `${kind} ${amount} ${currency}`).toSorted();
  const expected = inWords(amountsMinor.map((amount) => ({ kind: 'refund', amount, currency: paid.currency })));
  expect({ journal: inWords(await provider.journal(paid)), books: inWords(await backend.books(paid)) }).toEqual({ journal: expected, books: expected });
}
