import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { saveRefundPolicy } from '../../src/store/merchants.ts';
import type { Answer } from '../support/http-call.ts';
import { evenAim } from '../support/even-aim.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundAnswer, RefundFace } from '../support/refund-faces.ts';
import { merchantBackend, PATIENCE, untilAnswered, untilTold } from './merchant-backend.ts';
import { expectMovedInAnyOrder, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const ORDERS = 6;
/** Refunds that wait on each order's charge for the one before them, or of each payment for the end of their window. */
const WAITING = 15;
const RACES = ORDERS * WAITING;
const HOLDER_MINOR = 500;

/** The merchant whose refunds can be called off for a while before they are sent, and for how long, milliseconds. */
const MERCHANT_WITH_WINDOW = 'merchant_demo_two';
const WINDOW_MS = 3000;
/** How far apart its refunds are asked for, so that their windows do not end all at once, milliseconds. */
const APART_MS = 60;

/** How far a cancel is off the moment it aims at, by chance, milliseconds. */
const SPREAD_MS = 80;
/** How often a cancel looks whether what it aims at has moved, milliseconds. */
const POLL_MS = 20;

const postgres = await startPostgres();
let product: Product;
let db: Database;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const databaseUrl = await createDatabase(postgres, 'refund_races');
  product = await startProduct({ databaseUrl, apis: 2, workers: 2 });
  db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 2 });
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await db?.destroy();
  await product?.stop();
  await postgres?.stop();
});

/** The merchant that refunds over a face: the one without a window has to wait for its turn, which the gateway has none of. */
const MERCHANTS = { conekta: { merchantId: 'merchant_demo', key: 'key_demo' }, gateway: { merchantId: MERCHANT_WITH_WINDOW, key: 'key_demo_two' } } as const satisfies Record<FaceName, object>;

/** The merchant of a face by way of either API process. */
function faceAt(face: FaceName, index: number): RefundFace {
  return refundFace(face, { apiUrl: product.apis[index]?.url ?? '', sandboxUrl: product.sandboxUrl, key: MERCHANTS[face].key });
}

/** A refund that has not been sent yet, and can still be called off. */
interface Waiting {
  readonly paid: Paid;
  readonly refundId: string;
  readonly amountMinor: number;
  /** Its first answer that says something. */
  readonly asked: Promise<RefundAnswer>;
  /** Repeats the request with its key. */
  readonly ask: () => Promise<RefundAnswer>;
}

/** Repeats a request with its key, as a caller should, until it is known to be taken in. */
async function untilTaken(ask: () => Promise<RefundAnswer>): Promise<RefundAnswer> {
  return vi.waitFor(async () => {
    const answer = await ask();
    expect(answer.meaning).not.toBe('unavailable');
    return answer;
  }, PATIENCE);
}

/** Takes down a refund that is about to be asked for. */
type Enter = (waiting: Pick<Waiting, 'paid' | 'refundId'>) => void;

function begin(enter: Enter, paid: Paid, index: number): Waiting {
  const [key, amountMinor] = [`waiting-${index}`, 1000 + index];
  const ask = (): Promise<RefundAnswer> => faceAt(paid.face, 0).refund(paid, { amountMinor }, key);
  const refundId = deriveRefundId(MERCHANTS[paid.face].merchantId, paid.orderId, key);
  enter({ paid, refundId });
  return { paid, refundId, amountMinor, ask, asked: untilTaken(ask) };
}

/** Refunds of an order whose charge is held by a refund the provider gives no answer to: they wait behind it (S5). */
async function queueUp(enter: Enter): Promise<readonly Waiting[]> {
  const face = faceAt('conekta', 0);
  const paid = await face.pay(1_000_000);
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: paid.chargeId });
  void face.refund(paid, { amountMinor: HOLDER_MINOR }, 'holder');
  await vi.waitFor(async () => expect(await provider.journal(paid)).toHaveLength(1), PATIENCE);
  return Array.from({ length: WAITING }, (_, index) => begin(enter, paid, index));
}

/** Refunds of payments, each in the window in which its merchant may call it off (R5). */
async function openWindows(enter: Enter): Promise<readonly Waiting[]> {
  await saveRefundPolicy(db, MERCHANT_WITH_WINDOW, { cancellationWindowMs: WINDOW_MS });
  const payments = await Promise.all(Array.from({ length: ORDERS }, () => faceAt('gateway', 0).pay(1_000_000)));
  const waiting: Waiting[] = [];
  for (let index = 0; index < WAITING; index += 1) {
    for (const paid of payments) {
      waiting.push(begin(enter, paid, index));
      await delay(APART_MS);
    }
  }
  return waiting;
}

/** The refunds that can be called off for a moment only: whose charge's gate is their own, so that their Workflow is about to learn it; or whose window is open. */
const CONTESTED: Readonly<Record<FaceName, () => Promise<readonly { readonly refund_id: string }[]>>> = {
  conekta: () => db.selectFrom('charges').innerJoin('legs', 'legs.leg_id', 'charges.gate_leg_id').select('legs.refund_id').execute(),
  gateway: () => db.selectFrom('refunds').select('refund_id').where('merchant_id', '=', MERCHANT_WITH_WINDOW).where('status', '=', 'deferred').execute(),
};

/** Calls back when the moment of a refund first is seen. */
async function watchTurns(face: FaceName, signal: AbortSignal, onTurn: (refundId: string) => void): Promise<void> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    const rows = await CONTESTED[face]();
    for (const { refund_id: refundId } of rows.filter((row) => !seen.has(row.refund_id))) {
      seen.add(refundId);
      onTurn(refundId);
    }
    await delay(2);
  }
}

/** Sends a cancel by the other API when a refund's moment comes, earlier or later as the races before it went, so that both sides win. */
function cancelsAtTurn(face: FaceName, paidFor: (refundId: string) => Paid | undefined): { readonly onTurn: (refundId: string) => void; readonly answers: Map<string, Promise<Answer>> } {
  const answers = new Map<string, Promise<Answer>>();
  // How long a turn takes to become a send depends on the machine: the cancels follow what wins.
  const even = evenAim(face === 'gateway' ? WINDOW_MS + SPREAD_MS : SPREAD_MS, SPREAD_MS);
  const cancel = async (paid: Paid, refundId: string, aim: number): Promise<Answer> => {
    const seenAt = Date.now();
    // What it aims at may move while it waits for a window to end.
    for (let leftMs = even.ms(aim); leftMs > 0; leftMs = seenAt + even.ms(aim) - Date.now()) await delay(Math.min(leftMs, POLL_MS));
    const answer = await untilAnswered(() => faceAt(face, 1).cancel(paid, refundId));
    even.learn(answer.status === 200);
    return answer;
  };
  const onTurn = (refundId: string): void => {
    const paid = paidFor(refundId);
    // The one that holds the gate at first is not raced.
    if (paid !== undefined) answers.set(refundId, cancel(paid, refundId, (answers.size * 0.1) % 1));
  };
  return { onTurn, answers };
}

/** Begins refunds over each face that can be called off for a moment only. */
const BEGIN: Readonly<Record<FaceName, (enter: Enter) => Promise<readonly Waiting[]>>> = {
  conekta: async (enter) => (await Promise.all(Array.from({ length: ORDERS }, () => queueUp(enter)))).flat(),
  gateway: openWindows,
};

/** Races a cancel with the send of each refund, and says what the cancels were told. */
async function race(face: FaceName): Promise<readonly (readonly [Waiting, Answer | undefined])[]> {
  const paidOf = new Map<string, Paid>();
  const { onTurn, answers } = cancelsAtTurn(face, (refundId) => paidOf.get(refundId));
  const over = new AbortController();
  const watching = watchTurns(face, over.signal, onTurn);
  try {
    const waiting = await BEGIN[face](({ refundId, paid }) => paidOf.set(refundId, paid));
    await vi.waitFor(() => expect(answers.size).toBe(RACES), { timeout: 120_000, interval: 50 });
    return await Promise.all(waiting.map(async (one) => [one, await answers.get(one.refundId)] as const));
  } finally {
    over.abort();
    await watching;
  }
}

describe.skipIf(postgres === null)('a refund against its cancel, over two APIs', () => {
  it.each(FACE_NAMES)(`should have one winner in each of ${RACES} races over the face of %s, tell both callers, and move the money of no cancelled refund (R4, R5, M4, S5, I1, I2)`, { timeout: 240_000 }, async (face) => {
    const races = await race(face);
    const wins = { cancel: 0, send: 0 };
    for (const paid of new Set(races.map(([waiting]) => waiting.paid))) {
      const theirs = races.filter(([waiting]) => waiting.paid === paid);
      const outcomes = await Promise.all(theirs.map(async ([{ amountMinor, asked, ask }, cancelled]) => ({ amountMinor, cancelled, asked: await asked, refunded: await untilTold(ask) })));
      const journal = (await provider.journal(paid)).map(({ amount }) => amount);
      for (const { amountMinor, cancelled, asked, refunded } of outcomes) {
        const moved = journal.filter((amount) => amount === amountMinor).length;
        const told = { moved, cancelled: cancelled?.status, refunded: refunded.meaning, why: refunded.why };
        expect(told).toEqual(moved === 0 ? { moved: 0, cancelled: 200, refunded: 'refused', why: 'processing.charge_operations.refund.cancelled' } : { moved: 1, cancelled: 428, refunded: 'done', why: null });
        // Who would not wait any longer was told no more than that it is under way.
        expect(['under_way', refunded.meaning]).toContain(asked.meaning);
        wins[moved === 0 ? 'cancel' : 'send'] += 1;
      }
      expect(journal.filter((amount) => amount === HOLDER_MINOR)).toHaveLength(face === 'conekta' ? 1 : 0);
      await expectMovedInAnyOrder(provider, merchantBackend(product.apiUrl, MERCHANTS[face].key), paid, journal);
    }
    expect(wins.cancel, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
    expect(wins.send, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
  });
});
