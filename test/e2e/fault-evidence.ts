import { expect, vi } from 'vitest';
import { isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';
import type { Database } from '../../src/store/database.ts';
import type { Product } from '../support/product.ts';
import type { RefundAnswer } from '../support/refund-faces.ts';
import { LATEST_COMMIT_MS } from './fault-plan.ts';
import type { Ending, PlannedOrder } from './fault-plan.ts';
import { MERCHANT_ID } from './fault-run.ts';
import type { AskedRefund, PlayedOrder } from './fault-run.ts';
import { providerSide } from './provider-side.ts';
import type { ListedRefund } from './provider-side.ts';

/** Money that moved on a charge, by either side's account. Positive minor units. */
export interface Moved {
  readonly kind: string;
  readonly amount: number;
}

/** What both sides say of one charge. */
export interface ChargeEvidence {
  readonly chargeId: string;
  readonly capturedMinor: number;
  readonly journal: readonly Moved[];
  readonly books: readonly (Moved & { readonly providerId: string | null })[];
  readonly listed: readonly ListedRefund[];
  /** The amounts of the legs that were reserved on it. */
  readonly legsMinor: readonly number[];
}

/** What the records say of one refund. */
export interface RefundEvidence {
  readonly refundId: string;
  /** What its caller was told at first, and what the same request with its key is told in the end. */
  readonly firstAnswer: RefundAnswer;
  readonly lastAnswer: RefundAnswer;
  /** `null`: not on record. */
  readonly status: RefundStatus | null;
  readonly ending: Ending | null;
  readonly transitions: readonly { readonly from: string | null; readonly to: string }[];
}

/** What both sides say of one order once nothing moves any more. */
export interface OrderEvidence {
  readonly planned: PlannedOrder;
  readonly orderId: string;
  readonly charges: readonly ChargeEvidence[];
  readonly refunds: readonly RefundEvidence[];
}

/** Longer than the longest recovery of a run: a lost Worker, waited out, and a look that the provider does not answer for a minute. Milliseconds. */
const REST_TIMEOUT = { timeout: 90_000, interval: 500 };

/** Longer than the sandbox takes to send a webhook again a few times, milliseconds. */
const CATCH_UP_TIMEOUT = { timeout: 30_000, interval: 500 };

/** Waits until every refund is final, or before a human, or in line behind one that is; and until neither side writes anything more. */
export async function untilAtRest(db: Database, product: Product): Promise<void> {
  await vi.waitFor(async () => expect(await restless(db)).toEqual([]), REST_TIMEOUT);
  let before = await sizeOfBooks(db, product);
  let changedAt = Date.now();
  // Whatever was still on its way to the provider has been executed and noticed after this; a change begins the wait again.
  await vi.waitFor(async () => {
    const now = await sizeOfBooks(db, product);
    if (now !== before) changedAt = Date.now();
    before = now;
    expect(Date.now() - changedAt).toBeGreaterThan(LATEST_COMMIT_MS);
  }, REST_TIMEOUT);
  expect(await restless(db)).toEqual([]);
}

/**
 * Waits on until both sides have written down as many movements, or for as long as a webhook may take that is sent again. Whether they agree is
 * not for this to say: for a provider that takes refunds back, whose word for it is still on its way.
 */
export async function untilCaughtUp(db: Database, product: Product): Promise<void> {
  await vi.waitFor(async () => {
    const [journal, , movements] = (await sizeOfBooks(db, product)).split(' ');
    expect(movements).toBe(journal);
  }, CATCH_UP_TIMEOUT).catch(() => undefined);
}

/** How much either side has written, in words: all of it is append-only. */
async function sizeOfBooks(db: Database, product: Product): Promise<string> {
  const journal = await providerSide(product.sandboxUrl).journalOfAll();
  const transitions = await db.selectFrom('transitions').select(({ fn }) => fn.countAll().as('rows')).executeTakeFirstOrThrow();
  const movements = await db.selectFrom('money_movements').select(({ fn }) => fn.countAll().as('rows')).executeTakeFirstOrThrow();
  return `${journal.length} ${transitions.rows} ${movements.rows}`;
}

/** The refunds on record that something is still expected to happen to. */
async function restless(db: Database): Promise<readonly string[]> {
  const refunds = await db.selectFrom('refunds').select(['refund_id', 'status']).execute();
  const cases = await db.selectFrom('cases').select(['refund_id', 'leg_id']).where('status', '=', 'open').execute();
  const gates = await db.selectFrom('legs').innerJoin('charges', 'charges.charge_id', 'legs.charge_id').select(['legs.refund_id', 'gate_leg_id']).where('legs.status', '=', 'reserved').execute();
  const inCase = new Set(cases.map((row) => row.refund_id));
  const held = new Set(cases.map((row) => row.leg_id));
  const behind = new Set(gates.flatMap((row) => (row.gate_leg_id !== null && held.has(row.gate_leg_id) ? [row.refund_id] : [])));
  return refunds.filter((row) => !isFinalRefundStatus(row.status) && !inCase.has(row.refund_id) && !behind.has(row.refund_id)).map((row) => `${row.refund_id} ${row.status}`);
}

/** Collects what both sides say, after every request was made once more. Disarms what is left of the faults, so that the provider can be read. */
export async function collectEvidence(db: Database, product: Product, played: readonly PlayedOrder[]): Promise<readonly OrderEvidence[]> {
  await providerSide(product.sandboxUrl).disarm();
  const evidence: OrderEvidence[] = [];
  for (const order of played) {
    const repeated = await Promise.all(order.refunds.map(async (asked) => ({ ...asked, lastAnswer: await asked.askAgain() })));
    const listed = await providerSide(product.sandboxUrl).refundsOf({ face: order.planned.face, orderId: order.orderId });
    evidence.push({
      planned: order.planned, orderId: order.orderId,
      charges: await Promise.all(order.chargeIds.map((chargeId, index) => chargeEvidence(db, product, chargeId, order.planned.charges[index]?.amountMinor ?? 0, listed))),
      refunds: await Promise.all(repeated.map((asked) => refundEvidence(db, asked))),
    });
  }
  return evidence;
}

async function chargeEvidence(db: Database, product: Product, chargeId: string, capturedMinor: number, listed: readonly ListedRefund[]): Promise<ChargeEvidence> {
  const books = await db.selectFrom('money_movements').select(['kind', 'amount_minor', 'provider_id']).where('charge_id', '=', chargeId).execute();
  const legs = await db.selectFrom('legs').select('amount_minor').where('charge_id', '=', chargeId).execute();
  return {
    chargeId, capturedMinor, listed: listed.filter((refund) => refund.chargeId === chargeId),
    journal: (await providerSide(product.sandboxUrl).journal({ chargeId })).map(({ kind, amount }) => ({ kind, amount })),
    books: books.map((row) => ({ kind: row.kind, amount: row.amount_minor, providerId: row.provider_id })),
    legsMinor: legs.map((row) => row.amount_minor),
  };
}

async function refundEvidence(db: Database, { refundId, answer, lastAnswer }: AskedRefund & { readonly lastAnswer: RefundAnswer }): Promise<RefundEvidence> {
  const refund = await db.selectFrom('refunds').select(['status', 'status_detail']).where('merchant_id', '=', MERCHANT_ID).where('refund_id', '=', refundId).executeTakeFirst();
  const cases = await db.selectFrom('cases').select('case_id').where('refund_id', '=', refundId).where('status', '=', 'open').execute();
  const transitions = await db.selectFrom('transitions').select(['from_status', 'to_status']).where('subject', '=', 'refund').where('subject_id', '=', refundId).orderBy('transition_id').execute();
  return {
    refundId, firstAnswer: answer, lastAnswer, status: refund?.status ?? null, ending: endingOf(refund?.status, refund?.status_detail, cases.length > 0),
    transitions: transitions.map((row) => ({ from: row.from_status, to: row.to_status })),
  };
}

function endingOf(status: RefundStatus | undefined, detail: string | undefined, hasCase: boolean): Ending | null {
  if (status === 'refunded') return detail === 'partial' ? 'partial' : 'refunded';
  if (status === 'rejected') return 'rejected';
  return hasCase ? 'case' : null;
}
