import { expect, vi } from 'vitest';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import type { FaceName } from '../support/refund-faces.ts';
import { expectContract, seed } from './contract-fixtures.ts';

/** Shapes are left to the tests. */
// oxlint-disable-next-line typescript/no-explicit-any -- answers are probed field by field
export type Body = any;

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** What a call sends beside method and path. */
export interface CallOptions {
  /** Text and bytes go as they are, anything else as JSON; `Content-Type: application/json` unless the headers say otherwise. */
  readonly body?: unknown;
  /** The API key, as bearer; `null` sends none. The demo merchant's when omitted. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A fault of the sandbox (X4). */
export interface Fault {
  readonly operation: string;
  readonly mode: string;
  readonly times?: number;
  readonly delay_ms?: number;
  readonly charge_id?: string;
}

/** One movement, in the sandbox's journal or in our books. Positive minor units. */
export interface Movement {
  readonly kind: string;
  readonly charge_id: string | null;
  readonly amount: number;
  readonly currency: string;
}

/** The customer of the seed's order, as a request has it. */
function seedCustomer(): object {
  const { customer_id: _, object: __, ...customer } = seed('order.refund.response.json')['customer_info'] as Body;
  return customer as object;
}

/** The test number of Visa; nothing may keep or show it. */
export const CARD_NUMBER = '4242424242424242';
const CARD = { type: 'card', number: CARD_NUMBER, cvc: '123', exp_month: '02', exp_year: '30', name: 'Ezequiel Haydossian' };

/** The running product with the calls that the tests make. */
export class ContractScene {
  readonly product: Product;

  constructor(product: Product) {
    this.product = product;
  }

  static async open(): Promise<ContractScene> {
    return new ContractScene(await startProduct());
  }

  /** Calls the product. */
  async call(method: string, path: string, { body, key = 'key_demo', headers = {} }: CallOptions = {}): Promise<Answer> {
    const payload = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const response = await fetch(`${this.product.apiUrl}${path}`, {
      method,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) as Body };
  }

  /** Creates the seed's order, paid by card with these charges; minor units. */
  async createOrder(amounts: readonly number[], options: CallOptions = {}): Promise<Body> {
    return this.#createOrder(amounts.map((amount) => ({ amount, payment_method: CARD })), options);
  }

  /** Creates an order that waits for its payer at the shop; minor units. */
  async createUnpaidOrder(amount: number): Promise<Body> {
    return this.#createOrder([{ amount, payment_method: { type: 'cash', expires_at: inSeconds(3600) } }], {});
  }

  async #createOrder(charges: readonly { readonly amount: number; readonly payment_method: object }[], options: CallOptions): Promise<Body> {
    const total = charges.reduce((sum, charge) => sum + charge.amount, 0);
    const body = { currency: 'MXN', customer_info: seedCustomer(), line_items: [{ name: 'Box of Cohiba S1s', unit_price: total, quantity: 1 }], charges };
    const answer = await this.call('POST', '/orders', { ...options, body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  }

  refund(orderId: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', `/orders/${orderId}/refunds`, { ...options, ...(body === undefined ? {} : { body }) });
  }

  /** Creates a payout order like the seed's, with changes. */
  async createPayoutOrder(changes: Record<string, unknown> = {}, options: CallOptions = {}): Promise<Body> {
    const answer = await this.call('POST', '/payout_orders', { ...options, body: payoutOrderRequest(changes) });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expectContract('payout_order', answer.body);
    return answer.body;
  }

  /** The sandbox's journal: what really moved (X3). */
  async journal(query = ''): Promise<readonly Movement[]> {
    const response = await fetch(`${this.product.sandboxUrl}/sandbox/journal${query}`);
    return ((await response.json()) as { data: readonly Movement[] }).data;
  }

  /** Our books on a charge or a payout order (M7). */
  async books(query: string, key = 'key_demo'): Promise<readonly Movement[]> {
    const answer = await this.call('GET', `/v1/money_movements${query}`, { key });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body.data as readonly Movement[];
  }

  /** Arms a fault (X4). */
  async arm(fault: Fault): Promise<void> {
    await this.#sandbox('/sandbox/faults', fault, 200);
  }

  /** Disarms all faults. */
  async disarm(): Promise<void> {
    await fetch(`${this.product.sandboxUrl}/sandbox/faults`, { method: 'DELETE' });
  }

  /** Does something at the till and expects its answer (X5). */
  async atTill(payoutOrderId: string, act: 'withdrawal' | 'confirmation' | 'reversal', status = 200): Promise<void> {
    await this.#sandbox(`/sandbox/payout_orders/${payoutOrderId}/${act}`, undefined, status);
  }

  async #sandbox(path: string, body: unknown, status: number): Promise<void> {
    const response = await fetch(`${this.product.sandboxUrl}${path}`, {
      method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    expect(response.status, await response.text()).toBe(status);
  }

  /** Waits until a payout order has a status, and answers it. */
  payoutOrderIn(payoutOrderId: string, status: string): Promise<Body> {
    return vi.waitFor(async () => {
      const { body } = await this.call('GET', `/payout_orders/${payoutOrderId}`);
      expect(body.status).toBe(status);
      return body as Body;
    }, { timeout: 20_000, interval: 50 });
  }

  /** Expects the journal and the books to hold the same movements on a charge: these amounts, minor units. */
  async expectMoved(chargeId: string, amounts: readonly number[]): Promise<void> {
    const expected = amounts.map((amount) => ({ kind: 'refund', amount, currency: 'MXN' }));
    for (const movements of [await this.journal(`?charge_id=${chargeId}`), await this.books(`?charge_id=${chargeId}`)]) {
      expect(movements.map(({ kind, amount, currency }) => ({ kind, amount, currency }))).toEqual(expected);
    }
  }

  /** Runs something and expects that no money moved at the provider meanwhile. */
  async whileNothingMoves<T>(work: () => Promise<T>): Promise<T> {
    const before = await this.journal();
    const result = await work();
    expect(await this.journal()).toEqual(before);
    return result;
  }
}

/** Unix seconds from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A body of `POST /payout_orders` that gives the seed's payout order. Minor units; expires in 30 days. */
export function payoutOrderRequest(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_23874283647' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: inSeconds(30 * 24 * 3600), metadata: { custom_client_id: '12345' }, ...changes,
  };
}

/** Expects an order's sums to agree: per charge and as a whole, what was refunded is what its refunds say, and no more than was paid. */
export function expectConsistent(order: Body): void {
  const charges = order.charges.data as Body[];
  const refundedOf = (charge: Body): number => ((charge.refunds?.data ?? []) as Body[]).reduce<number>((sum, refund) => sum - Number(refund.amount), 0);
  for (const charge of charges) {
    expect(refundedOf(charge)).toBeLessThanOrEqual(Number(charge.amount));
    expect(charge.is_refundable).toBe(refundedOf(charge) < charge.amount);
    expect(charge.order_id).toBe(order.id);
    if (charge.refunds !== null) expect(charge.refunds).toMatchObject({ object: 'list', has_more: false, total: charge.refunds.data.length });
  }
  const refunded = charges.reduce((sum, charge) => sum + refundedOf(charge), 0);
  expect(order.amount_refunded).toBe(refunded);
  expect(order.is_refundable).toBe(refunded < order.amount);
  expect(order.payment_status).toBe(refunded === 0 ? 'paid' : refunded < order.amount ? 'partially_refunded' : 'refunded');
  expect(order.split_payment).toBe(charges.length > 1);
}

/** Expects an error of a face's dialect; answers its first detail. The contract knows the shape under Conekta's prefix, and the gateway has its own. */
export function expectError(answer: Answer, status: number, type: string, face: FaceName = 'conekta'): Body {
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(answer.body).toMatchObject({ object: 'error', type, log_id: expect.stringMatching(/^[0-9a-f]{24}$/) as string });
  for (const { code } of answer.body.details as Body[]) expect(code).toMatch(new RegExp(`^${face}\\.errors\\.`));
  expectContract('error', JSON.parse(JSON.stringify(answer.body).replaceAll('"gateway.errors.', '"conekta.errors.')));
  return answer.body.details[0];
}
