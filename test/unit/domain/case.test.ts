import { describe, expect, it } from 'vitest';
import { CASES_ENDED_BY_OUTCOME, CASE_ACTIONS, caseActions } from '../../../src/domain/case.ts';
import type { CaseAction, CaseKind } from '../../../src/domain/case.ts';

/** By hand from O1, O2, R9 and P6: what an operator may do about each case of a refund. */
const OF_REFUNDS: Readonly<Record<CaseKind, readonly CaseAction[]>> = {
  outcome_unknown: ['resolve', 'retry'],
  unreadable_answer: ['resolve', 'retry'],
  waited_too_long: ['resolve', 'retry', 'cancel'],
  late_failure: ['acknowledge'],
  late_reversal: [],
  contradiction: [],
  workflow_gone: ['ask_again'],
};

/** And of a payout order: what became of that is the provider's word alone (P2), so there is nothing to resolve by a person's. */
const OF_PAYOUT_ORDERS: Readonly<Record<CaseKind, readonly CaseAction[]>> = {
  outcome_unknown: ['retry'],
  unreadable_answer: ['retry'],
  waited_too_long: ['retry', 'cancel'],
  late_failure: ['acknowledge'],
  late_reversal: [],
  contradiction: [],
  workflow_gone: ['ask_again'],
};

describe('CASE_ACTIONS', () => {
  it.each(Object.entries(OF_REFUNDS))('should allow for %s: %j (O1)', (kind, actions) => {
    expect(CASE_ACTIONS[kind as CaseKind]).toEqual(actions);
  });

  it('should know the seven kinds and nothing else (O1)', () => {
    expect(Object.keys(CASE_ACTIONS).toSorted()).toEqual(Object.keys(OF_REFUNDS).toSorted());
  });

  it('should never offer to call off what may have been sent, nor to resolve what is settled (R4, O2)', () => {
    for (const kind of ['outcome_unknown', 'unreadable_answer', 'late_failure', 'late_reversal'] as const) expect(CASE_ACTIONS[kind]).not.toContain('cancel');
    for (const kind of ['late_failure', 'late_reversal'] as const) expect(CASE_ACTIONS[kind]).not.toContain('resolve');
  });
});

describe('caseActions', () => {
  it.each(Object.entries(OF_REFUNDS))('should allow for %s of a refund: %j (O1)', (kind, actions) => {
    expect(caseActions(kind as CaseKind, 'refund')).toEqual(actions);
  });

  it.each(Object.entries(OF_PAYOUT_ORDERS))('should allow for %s of a payout order: %j (O1, P2)', (kind, actions) => {
    expect(caseActions(kind as CaseKind, 'payout_order')).toEqual(actions);
  });
});

describe('CASES_ENDED_BY_OUTCOME', () => {
  it('should be those that ask what became of a leg or payout order, and no others (O1)', () => {
    expect([...CASES_ENDED_BY_OUTCOME].toSorted()).toEqual(['outcome_unknown', 'unreadable_answer', 'waited_too_long', 'workflow_gone']);
  });
});
