import { z } from 'zod';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import type { RefundAnswer } from '../support/refund-faces.ts';
import type { Moved, OrderEvidence, RefundEvidence } from '../e2e/fault-evidence.ts';
import type { ListedRefund } from '../e2e/provider-side.ts';
import type { CaseKind } from '../../src/domain/case.ts';
import type { ChaosStage } from './chaos-stage.ts';
import type { OrderPlan } from './chaos-plan.ts';
import type { PlayedAsk, PlayedOrder } from './play-refunds.ts';
import type { PlayedPayout } from './play-payouts.ts';
import { refundsThatWait } from './quiet.ts';
import { readRecords } from './records-of-run.ts';
import type { RecordsOfRun } from './records-of-run.ts';

/** What a run shows of one refund, beside what its order's judge wants to know. */
export interface AskEvidence extends RefundEvidence {
  readonly asked: PlayedAsk;
  readonly statusDetail: string | null;
  /** Whether it, or who is before it in line, waits for a human. */
  readonly waits: boolean;
  /** Open cases. */
  readonly cases: readonly CaseKind[];
  /** The highest send number of its legs. */
  readonly sends: number;
}

/** Whether it is refused because of what remains of its charge. */
export function isRefusedForAmount({ lastAnswer }: AskEvidence): boolean {
  return lastAnswer.meaning === 'refused' && (lastAnswer.status === 422 || lastAnswer.status === 428);
}

/** What a run shows of one order. */
export interface ChaosOrderEvidence extends Pick<OrderEvidence, 'orderId' | 'charges'> {
  readonly planned: OrderPlan;
  readonly refunds: readonly AskEvidence[];
}

/** What a run shows of one payout order. */
export interface PayoutEvidence {
  readonly played: PlayedPayout;
  /** `null`: not on record. */
  readonly record: { readonly status: string; readonly statusDetail: string; readonly sends: number; readonly providerId: string | null } | null;
  readonly transitions: readonly { readonly from: string | null; readonly to: string }[];
  readonly cases: readonly CaseKind[];
  readonly books: readonly Moved[];
  readonly journal: readonly Moved[];
  /** The provider's payout orders that carry our id. */
  readonly references: readonly { readonly id: string; readonly status: string }[];
  /** What our API says in the end. */
  readonly shownStatus: string | null;
}

const journalSchema = z.object({ data: z.array(z.object({ kind: z.string(), charge_id: z.string().nullable(), payout_id: z.string().nullable(), amount: z.int() })) });
const orderSchema = z.object({ charges: z.object({ data: z.array(z.object({ id: z.string(), refunds: z.object({ data: z.array(z.object({ id: z.string(), amount: z.int() })) }).nullable() })) }) });
const paymentSchema = z.object({ refunds: z.array(z.object({ id: z.string(), amount: z.number() })) });
const referencesSchema = z.object({ has_more: z.boolean(), data: z.array(z.object({ id: z.string(), status: z.string(), metadata: z.looseObject({ reintegro_id: z.string().optional() }) })) });

type JournalRow = z.infer<typeof journalSchema>['data'][number];

/** How many requests are made again at once. */
const AT_ONCE = 10;

/** Collects what both sides say of orders, once every request was made once more. The provider must be free of faults by now. */
export async function orderEvidence(stage: ChaosStage, played: readonly PlayedOrder[]): Promise<readonly ChaosOrderEvidence[]> {
  const again = new Map<PlayedAsk, RefundAnswer>();
  await inTurns(played.flatMap(({ asks }) => asks), async (ask) => void again.set(ask, await ask.askAgain()));
  const records = await readRecords(stage.db);
  const waiting = await refundsThatWait(stage.db);
  const journal = await readJournal(stage);
  const listed = new Map<PlayedOrder, readonly ListedRefund[]>();
  await inTurns(played, async (order) => void listed.set(order, await refundsOf(stage, order)));
  return played.map((order) => ({
    planned: order.planned, orderId: order.orderId,
    charges: order.chargeIds.map((chargeId, index) => ({
      chargeId, capturedMinor: order.planned.chargesMinor[index] ?? 0, listed: (listed.get(order) ?? []).filter((refund) => refund.chargeId === chargeId),
      journal: journal.filter((row) => row.charge_id === chargeId).map(movedOf), books: records.movements.of(chargeId), legsMinor: records.legsOfCharge.of(chargeId).map(({ amountMinor }) => amountMinor),
    })),
    refunds: order.asks.map((asked) => askEvidence(records, waiting, asked, again.get(asked) ?? asked.answer)),
  }));
}

function askEvidence(records: RecordsOfRun, waiting: ReadonlySet<string>, asked: PlayedAsk, lastAnswer: RefundAnswer): AskEvidence {
  const { refundId, answer } = asked;
  const record = records.refunds.get(refundId);
  const waits = waiting.has(refundId);
  const status = record?.status ?? null;
  const ending = status === 'refunded' ? (record?.statusDetail === 'partial' ? 'partial' : 'refunded') : status === 'rejected' ? 'rejected' : waits && status !== 'cancelled' && status !== 'dismissed' ? 'case' : null;
  return {
    asked, refundId, firstAnswer: answer, lastAnswer, status, statusDetail: record?.statusDetail ?? null, ending, waits, transitions: records.transitions.of(refundId),
    cases: records.cases.of(refundId), sends: Math.max(0, ...records.legsOfRefund.of(refundId).map(({ sends }) => sends)),
  };
}

/** Collects what both sides say of payout orders. */
export async function payoutEvidence(stage: ChaosStage, played: readonly PlayedPayout[]): Promise<readonly PayoutEvidence[]> {
  const records = await readRecords(stage.db);
  const journal = await readJournal(stage);
  const references = await readReferences(stage);
  const shown = new Map<PlayedPayout, Answer>();
  await inTurns(played, async (payout) => void shown.set(payout, await stage.callers.persist('a payout order read', 0, (url) => call('GET', `${url}/payout_orders/${payout.payoutOrderId}`, { key: stage.callers.keyOf('plain') }))));
  return played.map((payout) => {
    const own = references.filter(({ metadata }) => metadata.reintegro_id === payout.payoutOrderId).map(({ id, status }) => ({ id, status }));
    const ids = new Set(own.map(({ id }) => id));
    return {
      played: payout, record: records.payouts.get(payout.payoutOrderId) ?? null, transitions: records.transitions.of(payout.payoutOrderId), cases: records.cases.of(payout.payoutOrderId),
      books: records.movements.of(payout.payoutOrderId), journal: journal.filter((row) => row.payout_id !== null && ids.has(row.payout_id)).map(movedOf), references: own,
      shownStatus: z.object({ status: z.string() }).safeParse(shown.get(payout)?.body).data?.status ?? null,
    };
  });
}

/** Does something with each, so many at once. */
async function inTurns<T>(all: readonly T[], doIt: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await doIt(next);
  }));
}

async function readJournal({ product }: ChaosStage): Promise<readonly JournalRow[]> {
  return journalSchema.parse((await call('GET', `${product.sandboxUrl}/sandbox/journal`)).body).data;
}

function movedOf({ kind, amount }: JournalRow): Moved {
  return { kind, amount };
}

/** The refunds that the provider lists on an order or payment. */
async function refundsOf({ product: { sandboxUrl }, canaries }: ChaosStage, { planned, merchant, orderId }: PlayedOrder): Promise<readonly ListedRefund[]> {
  const key = canaries.providerKeys[merchant];
  if (planned.face === 'gateway') {
    const { refunds } = paymentSchema.parse((await call('GET', `${sandboxUrl}/api/v2/pagos/${orderId}`, { key })).body);
    return refunds.map(({ id, amount }) => ({ chargeId: orderId, id, amount: Math.round(amount * 100) }));
  }
  const { charges } = orderSchema.parse((await call('GET', `${sandboxUrl}/orders/${orderId}`, { key })).body);
  return charges.data.flatMap((charge) => (charge.refunds?.data ?? []).map(({ id, amount }) => ({ chargeId: charge.id, id, amount: -amount })));
}

/** All payout orders that the provider has of the plain merchant. */
async function readReferences({ product: { sandboxUrl }, canaries }: ChaosStage): Promise<z.infer<typeof referencesSchema>['data']> {
  const all: z.infer<typeof referencesSchema>['data'] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const page = referencesSchema.parse((await call('GET', `${sandboxUrl}/payout_orders?limit=250${next === '' ? '' : `&next=${next}`}`, { key: canaries.providerKeys.plain })).body);
    all.push(...page.data);
    next = page.has_more ? page.data.at(-1)?.id : undefined;
  }
  return all;
}
