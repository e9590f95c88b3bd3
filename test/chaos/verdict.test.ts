import { describe, expect, it } from 'vitest';
import { readAnswer } from '../support/refund-faces.ts';
import type { RefundAnswer } from '../support/refund-faces.ts';
import { canariesOf, findCanaries } from './canaries.ts';
import type { OrderPlan } from './chaos-plan.ts';
import type { AskEvidence, ChaosOrderEvidence, PayoutEvidence } from './evidence.ts';
import type { RunFigures } from './figures.ts';
import { shortfalls } from './minimums.ts';
import type { PlannedFault } from './plan-faults.ts';
import type { PayoutPlan } from './plan-payouts.ts';
import { tallyRaces } from './races.ts';
import { renderRun, renderRuns } from './report.ts';
import { judgeRun } from './verdict.ts';
import type { RunEvidence } from './verdict.ts';

const ORDER = 'ord_1';
const REFUND_ID = 'rfd_1';
const header = (name: string): string | undefined => (name === 'location' ? `/orders/${ORDER}` : name === 'reintegro-refund-id' ? REFUND_ID : undefined);
const answer = (status: number, body: unknown = { object: 'order', id: ORDER }, told = header): RefundAnswer => readAnswer('conekta', { status, header: told, text: '', body });
const error = (status: number, code: string): RefundAnswer => answer(status, { object: 'error', details: [{ code: `conekta.errors.${code}` }] });
const CANCELLED = error(402, 'processing.charge_operations.refund.cancelled');

const MOVED = { kind: 'refund', amount: 500 };
const steps = (...statuses: readonly string[]): AskEvidence['transitions'] => statuses.map((to, index) => ({ from: statuses[index - 1] ?? null, to }));
const fault = (operation: PlannedFault['operation'], mode: string) => ({ operation, mode, times: 1, delayMs: 0, charge: 0 });

/** A refund that went well, and what differs. */
function refundOf({ asked = {}, ...differs }: Partial<Omit<AskEvidence, 'asked'>> & { readonly asked?: Partial<AskEvidence['asked']> } = {}): AskEvidence {
  const planned = { amountMinor: 500, twin: 'none', api: 0 } as const;
  return {
    refundId: REFUND_ID, firstAnswer: answer(202), lastAnswer: answer(200), status: 'refunded', statusDetail: 'complete', ending: 'refunded', waits: false, cases: [], sends: 1,
    transitions: steps('pending', 'in_process', 'refunded'), asked: { planned, refundId: REFUND_ID, answer: answer(202), twin: null, told: [], askAgain: () => Promise.reject(new Error('not asked')), ...asked }, ...differs,
  };
}

/** An order that went well, and what differs. */
function orderOf({ plan = {}, refund = refundOf(), charge = {} }: { readonly plan?: Partial<OrderPlan>; readonly refund?: AskEvidence; readonly charge?: Partial<ChaosOrderEvidence['charges'][number]> } = {}): ChaosOrderEvidence {
  return {
    orderId: ORDER, refunds: [refund], planned: { name: 'order 0', face: 'conekta', shape: 'lone', chargesMinor: [900], asks: [], steering: 'none', way: 'http', faults: [], aim: 0, ...plan },
    charges: [{ chargeId: 'chg_1', capturedMinor: 900, journal: [MOVED], books: [{ ...MOVED, providerId: 'ref_1' }], listed: [{ chargeId: 'chg_1', id: 'ref_1', amount: 500 }], legsMinor: [500], ...charge }],
  };
}

const NOTHING_MOVED = { journal: [], books: [], listed: [] };
const CALLED_OFF: Partial<AskEvidence> = { status: 'cancelled', statusDetail: 'by_request', ending: null, lastAnswer: CANCELLED, transitions: steps('pending', 'deferred', 'cancelled') };
const told = (act: 'cancel' | 'approve' | 'reject', says: 'done' | 'overtaken') => ({ told: [{ act, says }] });

/** A payout order that was collected, and what differs. */
function payoutOf({ plan = {}, played = {}, ...differs }: Partial<Omit<PayoutEvidence, 'played'>> & { readonly plan?: Partial<PayoutPlan>; readonly played?: Partial<PayoutEvidence['played']> } = {}): PayoutEvidence {
  const planned: PayoutPlan = { name: 'payout order 0', story: 'confirm', amountMinor: 700, twin: 'none', api: 0, way: 'http', isVoidable: false, isReported: false, pauseMs: 0, aim: 0, faults: [], ...plan };
  const created = { status: 200, header: () => undefined, text: '', body: { id: 'pay_1' } };
  return {
    played: { planned, payoutOrderId: 'pay_1', answer: created, twin: null, expiresAt: 0, told: [{ act: 'withdrawal', says: 'done' }, { act: 'confirmation', says: 'done' }], armed: [], ...played },
    record: { status: 'withdrawn', statusDetail: 'withdrawn', sends: 1, providerId: 'prov_1' }, transitions: steps('open', 'pending', 'pending_confirmation', 'withdrawn'), cases: [],
    books: [{ kind: 'withdrawal', amount: 700 }], journal: [{ kind: 'withdrawal', amount: 700 }], references: [{ id: 'prov_1', status: 'withdrawn' }], shownStatus: 'withdrawn', ...differs,
  };
}

const NEVER_ISSUED: Partial<PayoutEvidence> = { record: { status: 'open', statusDetail: 'never_issued', sends: 1, providerId: null }, transitions: steps('open'), books: [], journal: [], references: [], shownStatus: 'open' };

const GOOD: RunEvidence = { orders: [orderOf()], payouts: [payoutOf()], restless: [], eventsOutOfStep: [], canaries: [], histories: { failures: [], replayed: 2 }, defects: [] };
const brokenIn = (differs: Partial<RunEvidence>): readonly string[] => judgeRun({ ...GOOD, ...differs }).map(({ rule }) => rule);

describe('judgeRun', () => {
  it('should find nothing wrong with a run in which nothing was', () => {
    expect(judgeRun(GOOD)).toEqual([]);
  });

  it.each<[string, readonly string[], Partial<RunEvidence>]>([
    ['a refund that is not at rest', ['I3'], { restless: ['refund rfd_1 is in_process'] }],
    ['a transition without its event', ['I6'], { eventsOutOfStep: ['transition 1 has 0 events'] }],
    ['a canary in a log', ['I7'], { canaries: ['the e-mail in output of a program'] }],
    ['a history that does not replay', ['I8'], { histories: { failures: ['refund:1 does not replay'], replayed: 2 } }],
    ['a history that is not there', ['I8'], { histories: { failures: [], replayed: 1 } }],
    ['a 500', ['answer'], { defects: ['a refund was answered 500'] }],
  ])('should find %s (I3, I6, I7, I8)', (_, rules, differs) => {
    expect(brokenIn(differs)).toEqual(rules);
  });

  it.each<[string, readonly string[], Parameters<typeof orderOf>[0]]>([
    ['a refund that moved twice', ['I1', 'I2', 'I5'], { charge: { journal: [MOVED, MOVED] } }],
    ['a movement that is not in the books', ['I2'], { charge: { books: [] } }],
    ['an acknowledged refund that is nowhere', ['I3', 'ending'], { refund: refundOf({ status: null, ending: null, transitions: [], lastAnswer: answer(202) }) }],
    ['a refund that left a final status', ['I4'], { refund: refundOf({ transitions: steps('pending', 'in_process', 'refunded', 'in_process', 'refunded') }) }],
    ['a refund that nobody refused, and that is rejected', ['ending'], { charge: NOTHING_MOVED, refund: refundOf({ status: 'rejected', ending: 'rejected', transitions: steps('pending', 'in_process', 'rejected'), lastAnswer: error(402, 'processing.charge_operations.refund.declined') }) }],
    ['a case before the third send', ['case'], { charge: NOTHING_MOVED, refund: refundOf({ status: 'in_process', ending: 'case', waits: true, cases: ['outcome_unknown'], sends: 2, transitions: steps('pending', 'in_process'), lastAnswer: answer(202) }) }],
    ['a cancelled refund whose money moved', ['I1'], { plan: { shape: 'steered', steering: 'cancel_race' }, refund: refundOf({ ...CALLED_OFF, asked: told('cancel', 'done') }) }],
    ['a cancel that was told done of a refund that was sent', ['told'], { plan: { shape: 'steered', steering: 'cancel_race' }, refund: refundOf({ asked: told('cancel', 'done') }) }],
    ['a cancel that was told to be too late of a refund that is cancelled', ['told'], { plan: { shape: 'steered', steering: 'cancel_race' }, charge: NOTHING_MOVED, refund: refundOf({ ...CALLED_OFF, asked: told('cancel', 'overtaken') }) }],
    ['a refund that was sent though a second person said no', ['ending', 'told'], { plan: { shape: 'steered', steering: 'reject' }, refund: refundOf({ asked: told('reject', 'done') }) }],
    ['a cancelled refund whose caller is told something else', ['answer'], { plan: { shape: 'steered', steering: 'cancel' }, charge: NOTHING_MOVED, refund: refundOf({ ...CALLED_OFF, lastAnswer: answer(202), asked: told('cancel', 'done') }) }],
    ['a refund that nobody called off, and that is cancelled', ['ending'], { charge: NOTHING_MOVED, refund: refundOf(CALLED_OFF) }],
    ['two refunds of one key', ['told'], { refund: refundOf({ asked: { twin: answer(202, { object: 'order', id: ORDER }, () => 'rfd_2') } }) }],
  ])('should find %s (I1, I2, I3, I4, I5, R3, R4, R8)', (_, rules, differs) => {
    expect(brokenIn({ orders: [orderOf(differs)] })).toEqual(rules);
  });

  it('should find nothing wrong with a refund that was called off in time (R4)', () => {
    const calledOff = refundOf({ ...CALLED_OFF, asked: told('cancel', 'done') });
    expect(brokenIn({ orders: [orderOf({ plan: { shape: 'steered', steering: 'cancel_race' }, refund: calledOff, charge: NOTHING_MOVED })] })).toEqual([]);
  });

  it('should let a refund be refused that asks for more than another one left, and no other (M2)', () => {
    const refused = refundOf({ status: 'rejected', statusDetail: 'amount_exceeds_remaining', ending: 'rejected', firstAnswer: error(422, 'x'), lastAnswer: error(422, 'x'), transitions: steps('rejected') });
    expect(brokenIn({ orders: [orderOf({ plan: { shape: 'rivals' }, refund: refused, charge: NOTHING_MOVED })] })).toEqual([]);
    expect(brokenIn({ orders: [orderOf({ refund: refused, charge: NOTHING_MOVED })] })).toEqual(['ending']);
  });

  it('should let a refund fail that the provider was to decline, and wait for a human after three lost sends (S4)', () => {
    const declined = refundOf({ status: 'rejected', ending: 'rejected', transitions: steps('pending', 'in_process', 'rejected'), lastAnswer: error(402, 'processing.charge_operations.refund.declined') });
    expect(brokenIn({ orders: [orderOf({ plan: { faults: [fault('refund', 'decline')] }, refund: declined, charge: NOTHING_MOVED })] })).toEqual([]);
    const waiting = refundOf({ status: 'in_process', ending: 'case', waits: true, cases: ['outcome_unknown'], sends: 3, transitions: steps('pending', 'in_process'), lastAnswer: answer(202) });
    expect(brokenIn({ orders: [orderOf({ refund: waiting, charge: NOTHING_MOVED })] })).toEqual([]);
  });

  it.each<[string, readonly string[], Parameters<typeof payoutOf>[0]]>([
    ['one that was collected twice', ['I1', 'I2'], { journal: [{ kind: 'withdrawal', amount: 700 }, { kind: 'withdrawal', amount: 700 }] }],
    ['one with two references to collect', ['I1'], { references: [{ id: 'prov_1', status: 'withdrawn' }, { id: 'prov_2', status: 'pending' }] }],
    ['one whose withdrawal is not booked', ['I2'], { books: [] }],
    ['one of which another amount was collected', ['I2', 'I5'], { journal: [{ kind: 'withdrawal', amount: 800 }] }],
    ['one that was acknowledged and is nowhere', ['I3'], { record: null }],
    ['one that skipped a status', ['I4'], { transitions: steps('open', 'pending', 'withdrawn') }],
    ['one that left a final status', ['I4'], { transitions: steps('open', 'pending', 'pending_confirmation', 'reversed', 'withdrawn') }],
    ['one of which the provider says something else', ['I2'], { references: [{ id: 'prov_1', status: 'pending' }] }],
    ['one that is shown as something else', ['answer'], { shownStatus: 'pending' }],
    ['one that was told to be cancelled', ['told'], { played: { told: [{ act: 'cancel', says: 'done' }, { act: 'withdrawal', says: 'done' }, { act: 'confirmation', says: 'done' }] } }],
    ['a case that nothing explains', ['case'], { cases: ['contradiction'] }],
    ['two of one key', ['told'], { played: { twin: { status: 200, header: () => undefined, text: '', body: { id: 'pay_2' } } } }],
    ['one that stays open for no reason', ['ending'], { ...NEVER_ISSUED, played: { told: [] } }],
    ['one said to be never issued that has a reference', ['I2', 'ending'], { ...NEVER_ISSUED, plan: { story: 'expire' }, references: [{ id: 'prov_1', status: 'pending' }], played: { told: [] } }],
  ])('should find a payout order: %s (I1, I2, I3, I4, I5, P1, P4, R8)', (_, rules, differs) => {
    expect(brokenIn({ payouts: [payoutOf(differs)] })).toEqual(rules);
  });

  it('should let a payout order stay open whose time was over before the provider had it (P1)', () => {
    expect(brokenIn({ payouts: [payoutOf({ ...NEVER_ISSUED, plan: { story: 'expire' }, played: { told: [] } })] })).toEqual([]);
  });
});

describe('findCanaries', () => {
  const canaries = canariesOf(1);

  it.each(['name', 'email', 'phone', 'token', 'cardNumber'] as const)('should find the %s, wherever it got to, and not repeat it (I7)', (what) => {
    const [found = '', ...more] = findCanaries(canaries, [{ where: 'a log', text: `{"msg":"x ${canaries[what]} y"}` }, { where: 'a memo', text: 'nothing' }]);
    expect(found).toContain('in a log');
    expect(found).not.toContain(canaries[what]);
    expect(more).toEqual([]);
  });

  it('should find every key by its secret, and let its public part pass (I7)', () => {
    for (const key of [...Object.values(canaries.keys), ...Object.values(canaries.providerKeys)]) expect(findCanaries(canaries, [{ where: 'a log', text: key }])).toHaveLength(1);
    expect(findCanaries(canaries, [{ where: 'a log', text: '"actor":"chaos_plain"' }])).toEqual([]);
  });
});

describe('tallyRaces, shortfalls and the report', () => {
  const race = (status: 'cancelled' | 'refunded') => orderOf({ plan: { shape: 'steered', steering: 'cancel_race' }, refund: refundOf({ status }) });
  const races = (cancelled: number, sent: number) => tallyRaces([...Array.from({ length: cancelled }, () => race('cancelled')), ...Array.from({ length: sent }, () => race('refunded'))], [payoutOf({ plan: { story: 'rail_race' } })]);
  const run = (differs: Partial<RunFigures>): RunFigures => ({
    seed: 1, protocol: 'safe', seconds: { start: 0, play: 0, quiet: 0, verdict: 0 }, operations: { refunds: 1, payouts: 0, postedTwice: 0, repeated: 0 }, faults: {}, recovered: { hit: 0, ended: 0 },
    kills: { worker: 0, api: 0, temporal: 0, postgres: 0, sandbox: 0 }, endedByThemselves: [], endings: {}, cases: {}, races: races(0, 0), replayed: 0, violations: [], ...differs,
  });

  it('should count who won', () => {
    const refusedForAmount = refundOf({ status: 'rejected', lastAnswer: error(422, 'x') });
    const rivals = (...refunds: readonly AskEvidence[]) => tallyRaces([{ ...orderOf({ plan: { shape: 'rivals' } }), refunds }], [])['two refunds of which one is too much'];
    expect(rivals(refundOf(), refusedForAmount)).toEqual({ first: 1, second: 0 });
    // Who won may still be refused by the provider.
    expect(rivals(refusedForAmount, refundOf({ status: 'rejected' }))).toEqual({ first: 0, second: 1 });
    expect(rivals(refusedForAmount, refusedForAmount)).toEqual({ first: 0, second: 0 });
    expect(races(2, 1)).toMatchObject({ 'cancel × send of a deferred refund': { cancel: 2, send: 1 }, 'confirmation × reversal of a withdrawal': { confirmation: 1, reversal: 0 } });
  });

  it('should ask of many races that each side wins its share, and of few nothing', () => {
    expect(shortfalls([run({ races: races(9, 0) })])).toEqual([]);
    expect(shortfalls([run({ races: races(40, 10) })])).toEqual([]);
    expect(shortfalls([run({ races: races(30, 5) }), run({ races: races(20, 5) })])).toHaveLength(1);
    expect(shortfalls([run({ races: races(60, 0), protocol: 'naive' })])).toEqual([]);
  });

  it('should ask of many faults that every class of them hit often enough', () => {
    const missed = shortfalls([run({ faults: { 'refund timeout': { armed: 1000, hit: 1000 }, 'order.get hang': { armed: 30, hit: 19 } } })]);
    expect(missed.some((line) => line.includes(' hang '))).toBe(true);
    expect(missed.some((line) => line.includes(' timeout '))).toBe(false);
    expect(shortfalls([run({ faults: { 'refund timeout': { armed: 800, hit: 800 } } })])).toEqual([]);
  });

  it('should name seed, faults, kills, cases and every violation', () => {
    const bad = run({
      seed: 4711, faults: { 'refund hang': { armed: 3, hit: 2 } }, kills: { worker: 60, api: 4, temporal: 3, postgres: 2, sandbox: 1 }, cases: { outcome_unknown: 1 },
      violations: [{ rule: 'I1', subject: 'order 0 (ord_1)', what: '500 moved 2 times for 1 legs' }],
    });
    const text = renderRun(bad);
    for (const part of ['4711', /\| refund hang +\| 3 +\| 2 +\|/, /workers +\| 60 /, '10 (api 4, Temporal 3, PostgreSQL 2, sandbox 1)', 'outcome_unknown 1', '1 (I1 1)', 'I1 order 0 (ord_1): 500 moved 2 times for 1 legs']) expect(text).toMatch(part);
    for (const part of [/\| 4711 +\| 1 .*\| 60 +\| 4 +\| 3 +\| 2 +\| 1 /, /\| all +\| 2 /, /\| hang +\| 3 +\| 2 +\|/]) expect(renderRuns([bad, run({})])).toMatch(part);
    expect(renderRun(run({ protocol: 'naive' }))).toContain('payout orders');
  });
});
