import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LEG_STATUSES } from '../../src/domain/leg.ts';
import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import { listCases, openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { recordLateFailure } from '../../src/store/refunds/late-failure.ts';
import { resolveLeg } from '../../src/store/refunds/resolve.ts';
import { markNotSent, markUnknown } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { loseTurn, takeTurn } from '../../src/store/refunds/turns.ts';
import { memoryDatabase } from '../support/database.ts';
import { BooksModel, CAPTURED_MINOR, type ModelLeg, type News } from './books-model.ts';
import { actingFor, atSecond, begin, books, legOf, listed, movements, openShop, operatorFor, orderSnapshot, reserve, told, type Shop } from './refund-records.ts';

const RUNS = 60;
/** Some thousand transactions: slow on a busy machine. */
const TIMEOUT_MS = 300_000;

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

/** The books, and what they should say. */
interface Play {
  readonly shop: Shop;
  readonly model: BooksModel;
}

/** Does one thing to both, and compares their answers. */
type Act = (play: Play, leg: ModelLeg) => Promise<void>;

function nextOf(refundId: string | null): readonly string[] {
  return refundId === null ? [] : [`${refundId}:chg_1`];
}

/** What the provider lists: every refund that we know of, as we know it. */
function listOf({ model }: Play): readonly ListedRefund[] {
  return [...model.legs.values()].filter((leg) => leg.wasPaid).map((leg) => listed(`re_${leg.refundId}`, leg.amountMinor, leg.status === 'succeeded' ? 'succeeded' : 'failed'));
}

function telling(news: News): Act {
  return async ({ shop, model }, leg) => {
    const call = settleLeg(db, actingFor(leg.refundId), legOf(shop, leg.refundId), news === 'refused' ? { kind: news, refusal: 'card_closed' } : told(news, `re_${leg.refundId}`));
    const expected = model.settle(leg, news);
    if (expected === 'impossible') return expect(call).rejects.toThrow(`cannot become ${news}`);
    const settled = await call;
    expect([settled.legStatus, settled.refundStatus]).toEqual([leg.status, model.statusOf(leg)]);
    expect(settled.nextTurn === null ? [] : [settled.nextTurn.legId]).toEqual(nextOf(expected.next));
  };
}

function resolving(outcome: 'succeeded' | 'failed'): Act {
  return async ({ shop, model }, leg) => {
    const resolution = outcome === 'succeeded' ? { outcome, providerRefundId: `re_${leg.refundId}` } : { outcome };
    const answer = await resolveLeg(db, operatorFor(leg.refundId), legOf(shop, leg.refundId), { resolution, accepted: 'succeeded', seen: null, quiet: { afterPermitMs: 0, afterCallMs: 0 } });
    const expected = model.resolve(leg, outcome);
    if (expected === 'never_sent') return expect(answer).toEqual({ kind: 'refused', why: 'never_sent' });
    expect(answer).toMatchObject({ kind: 'settled', settled: { legStatus: leg.status, refundStatus: model.statusOf(leg) } });
    expect(answer.kind === 'settled' && answer.settled.nextTurn !== null ? [answer.settled.nextTurn.legId] : []).toEqual(nextOf(expected.next));
  };
}

const ACTS = {
  takeTurn: async ({ shop, model }, leg) => {
    const hadTurn = model.takeTurn(leg);
    const { hasTurn, holder } = await takeTurn(db, legOf(shop, leg.refundId));
    expect([hasTurn, holder?.refundId ?? null]).toEqual([hadTurn, hadTurn ? null : model.gate]);
  },
  loseTurn: async ({ shop, model }, leg) => {
    const next = await loseTurn(db, legOf(shop, leg.refundId));
    expect(next === null ? [] : [next.legId]).toEqual(nextOf(model.loseTurn(leg)));
  },
  beginSend: async ({ shop, model }, leg) => {
    const permit = await begin(db, legOf(shop, leg.refundId), leg.sends + 1);
    expect(permit.kind).toBe(model.beginSend(leg));
  },
  /** A worker that was given up wakes up: its number was used. */
  beginLate: async ({ shop }, leg) => {
    if (leg.sends > 0) expect((await begin(db, legOf(shop, leg.refundId), leg.sends)).kind).not.toBe('go');
  },
  loseAnswer: async ({ shop, model }, leg) => {
    await markUnknown(db, legOf(shop, leg.refundId), leg.sends);
    model.loseAnswer(leg);
  },
  notSent: async ({ shop, model }, leg) => {
    await markNotSent(db, legOf(shop, leg.refundId), leg.sends, leg.wasUnknown ? 'unknown' : 'reserved');
    model.notSent(leg);
  },
  authorized: telling('authorized'), approved: telling('approved'), succeeded: telling('succeeded'), refused: telling('refused'),
  resolveSucceeded: resolving('succeeded'), resolveFailed: resolving('failed'),
  failLate: async (play, leg) => {
    const booked = play.model.failLate(leg);
    const seen = { order: orderSnapshot([{ amountMinor: CAPTURED_MINOR, refunds: listOf(play) }]), seenAt: atSecond(10) };
    expect(await recordLateFailure(db, actingFor(leg.refundId), legOf(play.shop, leg.refundId), seen)).toBe(booked);
  },
  cancel: async ({ shop, model }, leg) => {
    const call = cancelRefund(db, actingFor(leg.refundId), shop.merchantId, leg.refundId);
    const expected = model.cancel(leg);
    expect((await call)?.map((one) => one.legId) ?? 'impossible').toEqual(expected === 'impossible' ? expected : nextOf(expected.next));
  },
  openCase: async ({ shop }, leg) => {
    await openCase(db, { ...legOf(shop, leg.refundId), kind: 'outcome_unknown' });
    leg.cases.add('outcome_unknown');
  },
} as const satisfies Record<string, Act>;

/** The same refund's reservation again must change nothing; a new one is held if it fits. */
async function reserveOne({ shop, model }: Play, refundId: string, amountMinor: number): Promise<void> {
  const answer = await reserve(db, shop, refundId, { amountMinor, recordRefusal: false });
  if (!model.legs.has(refundId)) expect(answer.kind).toBe(model.reserve(refundId, amountMinor));
  else expect(['reserved', 'concluded']).toContain(answer.kind);
}

/** What must be true of the books after every step, whatever happened (M2, M7, S5, I2, I5, I6). */
async function compare({ shop, model }: Play): Promise<void> {
  const { refunds, legs, charges, transitions, events } = await books(db, shop.merchantId);
  const moved = await movements(db, shop);
  const of = [...model.legs.values()];
  const [charge] = charges;
  expect(Object.fromEntries(legs.map((leg) => [leg.refund_id, leg.status]))).toEqual(Object.fromEntries(of.map((leg) => [leg.refundId, leg.status])));
  expect(Object.fromEntries(refunds.map((refund) => [refund.refund_id, [refund.status, refund.needs_attention]]))).toEqual(Object.fromEntries(of.map((leg) => [leg.refundId, [model.statusOf(leg), leg.cases.size > 0]])));
  expect(charge).toMatchObject({ held_minor: model.heldMinor, external_minor: 0, captured_minor: CAPTURED_MINOR, gate_leg_id: nextOf(model.gate)[0] ?? null });
  expect(model.heldMinor).toBeLessThanOrEqual(CAPTURED_MINOR);
  if (model.gate !== null) expect(['reserved', 'sending', 'unknown']).toContain(model.leg(model.gate).status);
  const sumOf = (kind: string): number => moved.filter((row) => row.kind === kind).reduce((sum, row) => sum + row.amount_minor, 0);
  expect(sumOf('refund') - sumOf('refund_failed')).toBe(model.movedMinor);
  expect(moved.filter((row) => row.kind === 'refund').map((row) => String(row.leg_id)).toSorted()).toEqual(of.filter((leg) => leg.wasPaid).map((leg) => `${leg.refundId}:chg_1`).toSorted());
  expect(events.map((event) => event.transition_id).toSorted((left, right) => left - right)).toEqual(transitions.map((row) => row.transition_id).toSorted((left, right) => left - right));
}

/** Whom a step concerns: a refund by name; whoever has the gate, or has succeeded, so that long stories come about. */
const NAMES = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'] as const;
const whom = fc.constantFrom(...NAMES, 'holder', 'holder', 'holder', 'paid' as const);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reserve' as const), who: fc.constantFrom(...NAMES), amountMinor: fc.constantFrom(100, 300, 400, 1_000, 1_001) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('beginSend' as const), who: whom }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constantFrom(...(Object.keys(ACTS) as (keyof typeof ACTS)[])), who: whom }) },
  // What chance alone brings about in too few of the sequences.
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('loseAnswer' as const, 'authorized' as const, 'approved' as const), who: fc.constant('holder' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('failLate' as const), who: fc.constant('paid' as const) }) },
);

function find({ legs, gate }: BooksModel, who: string): ModelLeg | undefined {
  if (who === 'paid') return [...legs.values()].find((leg) => leg.status === 'succeeded');
  return legs.get(who === 'holder' ? gate ?? '' : who);
}

async function take(play: Play, one: Step): Promise<void> {
  if (one.kind === 'reserve') return reserveOne(play, one.who, one.amountMinor);
  const leg = find(play.model, one.who);
  if (leg !== undefined) await ACTS[one.kind](play, leg);
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('the books of one charge', () => {
  it('should say what a small model says after every step of any sequence (M2, M4, M7, R9, S5, O2, I2, I4, I5, I6)', async () => {
    const reached = new Set<string>();
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 25, maxLength: 60 }), async (steps) => {
      const play: Play = { shop: await openShop(db, [{ amountMinor: CAPTURED_MINOR }]), model: new BooksModel() };
      for (const one of steps) {
        await take(play, one);
        for (const { status } of play.model.legs.values()) reached.add(status);
        await compare(play);
      }
      for (const { refundId, cases } of play.model.legs.values()) {
        const open = (await listCases(db, play.shop.merchantId, { refundId })).filter((one) => one.status === 'open').map((one) => one.kind);
        expect(open.toSorted()).toEqual([...cases].toSorted());
      }
    }), { numRuns: RUNS, seed: 20_261_121 });
    // Sequences that never get anywhere would prove nothing.
    expect([...reached].toSorted()).toEqual([...LEG_STATUSES].toSorted());
  }, TIMEOUT_MS);
});
