import { expect } from 'vitest';
import { createCardOrder, createPayment, expectShape, type Answer, type RunningSandbox } from './start-sandbox.ts';

/** Something of one charge that can be refunded, and where. */
export interface Payable {
  readonly id: string;
  readonly chargeId: string;
  readonly refundPath: string;
  /** What each of the reads that faults know is. */
  readonly readPaths: Readonly<Record<'refund.find' | 'order.get', string>>;
}

/** A refund as a read shows it; amount in minor units. */
export interface ListedRefund {
  readonly id: string;
  readonly state: 'authorized' | 'approved' | 'succeeded' | 'failed';
  readonly amountMinor: number;
}

/** One of the two dialects of the sandbox, for what must hold in both. */
export interface DialectUnderTest {
  readonly name: string;
  pay(sandbox: RunningSandbox, amountMinor: number): Promise<Payable>;
  /** The body of a refund; without an amount of what remains. */
  refundBody(amountMinor?: number): string;
  /** All refunds, newest first, read where they belong. */
  refunds(sandbox: RunningSandbox, payable: Payable): Promise<readonly ListedRefund[]>;
}

const CONEKTA: DialectUnderTest = {
  name: 'Conekta',
  async pay(sandbox, amountMinor) {
    const order = await createCardOrder(sandbox, amountMinor);
    const path = `/orders/${order.id}`;
    return { id: order.id, chargeId: order.charges.data[0].id, refundPath: `${path}/refunds`, readPaths: { 'refund.find': path, 'order.get': path } };
  },
  refundBody: (amountMinor) => JSON.stringify({ amount: amountMinor }),
  async refunds(sandbox, { id }) {
    const { body } = await sandbox.call('GET', `/orders/${id}`);
    expectShape('order_after_refund', body);
    const rows = (body.charges.data[0].refunds?.data ?? []) as { id: string; status?: ListedRefund['state']; amount: number }[];
    const listed = rows.map((row) => ({ id: row.id, state: row.status ?? 'succeeded', amountMinor: -row.amount }));
    expect(body.amount_refunded).toBe(countedOf(listed));
    return listed;
  },
};

const STATES: Readonly<Record<string, ListedRefund['state']>> = { authorized: 'authorized', approved: 'approved', refunded: 'succeeded', rejected: 'failed' };

const GATEWAY: DialectUnderTest = {
  name: 'the gateway',
  async pay(sandbox, amountMinor) {
    const { id } = await createPayment(sandbox, decimal(amountMinor));
    const refundPath = `/api/v2/pagos/devolucion/${id}`;
    return { id, chargeId: id, refundPath, readPaths: { 'refund.find': refundPath, 'order.get': `/pagos/${id}` } };
  },
  refundBody: (amountMinor) => (amountMinor === undefined ? '{}' : `{"amount":${decimal(amountMinor)}}`),
  async refunds(sandbox, { id }) {
    const { text, body } = await sandbox.call('GET', `/api/v2/pagos/${id}`);
    expectMessages(text, body.refunds);
    const listed = (body.refunds as { id: string; status: string; amount: number }[]).toReversed().map((message) => ({
      id: message.id, state: STATES[message.status] ?? expect.unreachable(message.status), amountMinor: Math.round(message.amount * 100),
    }));
    expect(body.status).toBe(listed.some(({ state }) => state === 'succeeded') ? 'refunded' : 'approved');
    return listed;
  },
};

/** Both dialects. */
export const DIALECTS: readonly DialectUnderTest[] = [CONEKTA, GATEWAY];

/** What the refunds take from their charge, minor units: all but the failed. */
export function countedOf(refunds: readonly ListedRefund[]): number {
  return refunds.filter(({ state }) => state !== 'failed').reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}

/** Fails unless messages have the shape of seed 003, and every amount in the text they came in has exactly two places. */
export function expectMessages(text: string, messages: readonly Answer['body'][]): void {
  for (const message of messages) expectShape('devolucion', message);
  const amounts = [...text.matchAll(/"amount":([^,}\]]*)/g)].map(([, amount]) => amount);
  expect(amounts.length).toBeGreaterThan(0);
  for (const amount of amounts) expect(amount).toMatch(/^\d+\.\d\d$/);
}

/** Fails unless the body is the error body that both dialects share, with the gateway's codes. */
export function expectGatewayError(body: Answer['body']): void {
  for (const { code } of body.details as { code: string }[]) expect(code).toMatch(/^gateway\.errors\.\w/);
  expectShape('error', JSON.parse(JSON.stringify(body).replaceAll('"gateway.errors.', '"conekta.errors.')));
}

function decimal(amountMinor: number): string {
  return (amountMinor / 100).toFixed(2);
}
