import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ReintegroClient } from '../../src/client/reintegro-client.ts';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import { payAtGateway, readAnswer, refundBody, refundPath } from '../support/refund-faces.ts';
import type { FaceName, RefundAnswer } from '../support/refund-faces.ts';
import type { Canaries } from './canaries.ts';
import type { PlannedFault } from './plan-faults.ts';

/** How long a caller repeats a request before it gives up, milliseconds: longer than any outage of a run. */
const PATIENCE_MS = 180_000;
/** Between two tries, milliseconds: the product asks for a second. */
const PAUSE_MS = 750;

/** What a caller does that pays an order. */
const ORDER = 'an order';

/** A merchant of the run: `plain` sends at once, `stopping` has a review threshold and a cancellation window. */
export type MerchantName = 'plain' | 'stopping';

/** By what the records know them. */
export const MERCHANT_IDS = { plain: 'merchant_demo', stopping: 'merchant_demo_two' } as const satisfies Record<MerchantName, string>;

/** What callers need to know of the product under test. */
export interface Surroundings {
  readonly apiUrls: readonly string[];
  readonly sandboxUrl: string;
  readonly canaries: Canaries;
  readonly client: ReintegroClient;
}

/** Everybody who calls, and what they were told that no caller should be. */
export type Callers = ReturnType<typeof chaosCallers>;

const armedSchema = z.object({ id: z.int() });
const orderSchema = z.object({ id: z.string(), charges: z.object({ data: z.array(z.object({ id: z.string() })) }) });

/** Makes the callers: merchants' backends that repeat what was not answered or answered with 503, with the same key, at the other API. */
export function chaosCallers({ apiUrls, sandboxUrl, canaries, client }: Surroundings) {
  const errorBodies: string[] = [];
  const defects: string[] = [];
  let repeated = 0;
  const note = (what: string, answer: Answer): void => {
    if (answer.status >= 400) errorBodies.push(withoutOrder(answer));
    if (answer.status >= 500 && answer.status !== 503) defects.push(`${what} was answered ${answer.status}`);
    // An order whose payment may have been taken is not to be repeated blindly: nobody says when (src/http/conekta/order-source.ts).
    if (answer.status === 503 && what !== ORDER && answer.header('retry-after') === undefined) defects.push(`${what} was answered 503 without Retry-After`);
  };
  /** Repeats a call to an API until it is answered with anything but a 5xx. */
  const persist = async (what: string, first: number, ask: (apiUrl: string) => Promise<Answer>): Promise<Answer> => {
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (let turn = first; ; turn += 1) {
      const answer = await ask(apiUrls[turn % apiUrls.length] ?? '').catch(() => null);
      if (answer !== null) note(what, answer);
      if (answer !== null && answer.status < 500) return answer;
      if (Date.now() > giveUpAt) throw new Error(`${what}: no answer for ${PATIENCE_MS / 1000} s, at last ${answer?.status ?? 'a lost connection'}`);
      repeated += 1;
      await delay(PAUSE_MS);
    }
  };
  /** Repeats a call to the sandbox until it is answered. */
  const atProvider = async (ask: () => Promise<Answer>): Promise<Answer> => {
    for (const giveUpAt = Date.now() + PATIENCE_MS; ;) {
      const answer = await ask().catch(() => null);
      if (answer !== null) return answer;
      if (Date.now() > giveUpAt) throw new Error('the sandbox does not answer');
      await delay(PAUSE_MS);
    }
  };
  return {
    client, sandboxUrl, persist, atProvider,
    errorBodies: (): readonly string[] => errorBodies,
    defects: (): readonly string[] => defects,
    /** How many requests had to be made again. */
    repeated: (): number => repeated,
    keyOf: (merchant: MerchantName | 'rail'): string => canaries.keys[merchant],
    /** Somebody pays an order with one card charge for each amount, or a payment; a fifth of them by a card number. */
    async pay(face: FaceName, merchant: MerchantName, amountsMinor: readonly number[], nth: number): Promise<{ readonly orderId: string; readonly chargeIds: readonly string[] }> {
      if (face === 'gateway') return payOnce(() => payAtGateway(sandboxUrl, canaries.providerKeys[merchant], { amountMinor: amountsMinor[0] ?? 0, fields: { metadata: JSON.stringify({ payer: canaries.email }) } }));
      const answer = await persist(ORDER, nth, (url) => call('POST', `${url}/orders`, { key: canaries.keys[merchant], body: orderBody(canaries, amountsMinor, nth % 5 === 0) }));
      if (answer.status !== 200) throw new Error(`an order was answered ${answer.status}: ${answer.text}`);
      const order = orderSchema.parse(answer.body);
      return { orderId: order.id, chargeIds: order.charges.data.map(({ id }) => id) };
    },
    /** Asks for a refund until it is answered. */
    async refund(of: { readonly face: FaceName; readonly orderId: string; readonly merchant: MerchantName }, amountMinor: number | null, idempotencyKey: string, api: number): Promise<RefundAnswer> {
      const body = refundBody(of.face, amountMinor === null ? {} : { amountMinor });
      return readAnswer(of.face, await persist('a refund', api, (url) => call('POST', `${url}${refundPath(of)}`, { key: canaries.keys[of.merchant], idempotencyKey, body })));
    },
    /** Arms a fault; by the id answered it is found again among those that are left. */
    async arm({ operation, mode, times, delayMs }: PlannedFault, of: { readonly charge_id: string } | { readonly payout_id: string }): Promise<number> {
      const answer = await atProvider(() => call('POST', `${sandboxUrl}/sandbox/faults`, { body: { operation, mode, times, delay_ms: delayMs, ...of } }));
      if (answer.status !== 200) throw new Error(`the fault ${operation} ${mode} was answered ${answer.status}: ${answer.text}`);
      return armedSchema.parse(answer.body).id;
    },
  };
}

async function payOnce(pay: () => ReturnType<typeof payAtGateway>): Promise<{ readonly orderId: string; readonly chargeIds: readonly string[] }> {
  for (const giveUpAt = Date.now() + PATIENCE_MS; ;) {
    const paid = await pay().catch((error: unknown) => error);
    if (typeof paid === 'object' && paid !== null && 'chargeId' in paid) {
      const { orderId, chargeId } = paid as Awaited<ReturnType<typeof payAtGateway>>;
      return { orderId, chargeIds: [chargeId] };
    }
    if (Date.now() > giveUpAt) throw paid;
    await delay(PAUSE_MS);
  }
}

/** The text of an error without the order that goes with it (R2): that is the merchant's own. */
function withoutOrder({ text, body }: Answer): string {
  return typeof body === 'object' && body !== null && 'data' in body ? JSON.stringify({ ...body, data: null }) : text;
}

/** An order whose customer and card are canaries. */
function orderBody({ name, email, phone, token, cardNumber }: Canaries, amountsMinor: readonly number[], isByNumber: boolean): object {
  const totalMinor = amountsMinor.reduce((sum, amountMinor) => sum + amountMinor, 0);
  const card = isByNumber ? { type: 'card', number: cardNumber, name, cvc: '123', exp_month: '12', exp_year: '34' } : { type: 'card', token_id: token };
  return {
    currency: 'MXN', customer_info: { name, email, phone }, line_items: [{ name: 'Box of pencils', unit_price: totalMinor, quantity: 1 }],
    charges: amountsMinor.map((amount) => ({ amount, payment_method: card })),
  };
}
