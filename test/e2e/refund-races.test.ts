import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { merchantBackend, PATIENCE, untilAnswered } from './merchant-backend.ts';
import type { Answer, MerchantBackend, PaidOrder } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const ORDERS = 6;
/** Refunds that wait on each order's charge for the one before them. */
const WAITING = 15;
const RACES = ORDERS * WAITING;
const HOLDER_MINOR = 500;

/** How far a cancel is off the moment it aims at, by chance, milliseconds. */
const SPREAD_MS = 80;
/** By how much the next cancels come later after a race that the cancel won, or earlier after one that it lost, milliseconds. */
const STEP_MS = 20;

const postgres = await startPostgres();
let product: Product;
let db: Database;
/** The same merchant, by way of either API process. */
let first: MerchantBackend;
let second: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const databaseUrl = await createDatabase(postgres, 'refund_races');
  product = await startProduct({ databaseUrl, apis: 2, workers: 2 });
  db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 2 });
  first = merchantBackend(product.apis[0]?.url ?? '');
  second = merchantBackend(product.apis[1]?.url ?? '');
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await db?.destroy();
  await product?.stop();
  await postgres?.stop();
});

/** A refund that waits for its turn. */
interface Waiting {
  readonly refundId: string;
  readonly amountMinor: number;
  /** Its first answer that says something. */
  readonly asked: Promise<Answer>;
  /** Repeats the request with its key. */
  readonly ask: () => Promise<Answer>;
}

/** Repeats a request with its key, as a caller should, until it is known to be taken in. */
async function untilTaken(ask: () => Promise<Answer>): Promise<Answer> {
  return vi.waitFor(async () => {
    const answer = await ask();
    expect(answer.status).not.toBe(503);
    return answer;
  }, PATIENCE);
}

/** A paid order whose charge is held by a refund the provider gives no answer to, and the refunds that wait behind it. */
async function queueUp(): Promise<{ readonly order: PaidOrder; readonly waiting: readonly Waiting[] }> {
  const order = await first.createOrder(1_000_000);
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: order.chargeId });
  void first.refund(order.orderId, { amount: HOLDER_MINOR }, 'holder');
  await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
  const waiting = Array.from({ length: WAITING }, (_, index): Waiting => {
    const key = `waiting-${index}`;
    const amountMinor = 1000 + index;
    const ask = (): Promise<Answer> => first.refund(order.orderId, { amount: amountMinor }, key);
    return { refundId: deriveRefundId('merchant_demo', order.orderId, key), amountMinor, ask, asked: untilTaken(ask) };
  });
  return { order, waiting };
}

/** Calls back when a charge's gate first is a refund's own: its turn has come, and its Workflow is about to learn it. */
async function watchTurns(signal: AbortSignal, onTurn: (refundId: string) => void): Promise<void> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    const rows = await db.selectFrom('charges').innerJoin('legs', 'legs.leg_id', 'charges.gate_leg_id').select('legs.refund_id').execute();
    for (const { refund_id: refundId } of rows.filter((row) => !seen.has(row.refund_id))) {
      seen.add(refundId);
      onTurn(refundId);
    }
    await delay(2);
  }
}

/** Sends a cancel by the other API when a refund's turn comes, earlier or later as the races before it went, so that both sides win. */
function cancelsAtTurn(orderOf: ReadonlyMap<string, PaidOrder>): { readonly onTurn: (refundId: string) => void; readonly answers: Map<string, Promise<Answer>> } {
  const answers = new Map<string, Promise<Answer>>();
  // How long a turn takes to become a send depends on the machine: the cancels follow what wins.
  let evenMs = SPREAD_MS;
  const cancel = async (orderId: string, refundId: string, lateMs: number): Promise<Answer> => {
    await delay(Math.max(0, lateMs));
    const answer = await untilAnswered(() => second.cancelRefund(orderId, refundId));
    evenMs = Math.max(0, evenMs + (answer.status === 200 ? STEP_MS : -STEP_MS));
    return answer;
  };
  const onTurn = (refundId: string): void => {
    const orderId = orderOf.get(refundId)?.orderId;
    // The one that holds the gate at first is not raced.
    if (orderId !== undefined) answers.set(refundId, cancel(orderId, refundId, evenMs + ((answers.size * 17) % (2 * SPREAD_MS)) - SPREAD_MS));
  };
  return { onTurn, answers };
}

describe.skipIf(postgres === null)('POST /orders/{id}/refunds against DELETE /orders/{id}/refunds/{refund_id} over two APIs', () => {
  it(`should have one winner in each of ${RACES} races, tell both callers, and move the money of no cancelled refund (R4, M4, S5, I1, I2)`, { timeout: 240_000 }, async () => {
    const queues = await Promise.all(Array.from({ length: ORDERS }, queueUp));
    const orderOf = new Map(queues.flatMap(({ order, waiting }) => waiting.map(({ refundId }) => [refundId, order] as const)));
    const { onTurn, answers } = cancelsAtTurn(orderOf);
    const over = new AbortController();
    const watching = watchTurns(over.signal, onTurn);
    try {
      await vi.waitFor(() => expect(answers.size).toBe(RACES), { timeout: 120_000, interval: 50 });
    } finally {
      over.abort();
      await watching;
    }
    const wins = { cancel: 0, send: 0 };
    for (const { order, waiting } of queues) {
      const outcomes = await Promise.all(waiting.map(async ({ refundId, asked, ask }) => ({ cancelled: await answers.get(refundId), asked: await asked, refunded: await untilAnswered(ask) })));
      const journal = (await provider.journal(order)).map(({ amount }) => amount);
      for (const [index, { cancelled, asked, refunded }] of outcomes.entries()) {
        const moved = journal.filter((amount) => amount === waiting[index]?.amountMinor).length;
        expect({ moved, cancelled: cancelled?.status, refunded: refunded.status }).toEqual(moved === 0 ? { moved: 0, cancelled: 200, refunded: 402 } : { moved: 1, cancelled: 428, refunded: 200 });
        // Who would not wait any longer was told no more than that it is under way.
        expect([202, refunded.status]).toContain(asked.status);
        wins[moved === 0 ? 'cancel' : 'send'] += 1;
      }
      expect(journal.filter((amount) => amount === HOLDER_MINOR)).toHaveLength(1);
      await expectMoved(provider, second, order, journal);
    }
    expect(wins.cancel, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
    expect(wins.send, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
  });
});
