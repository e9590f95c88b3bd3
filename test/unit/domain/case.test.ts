import { describe, expect, it } from 'vitest';
import { CASES_ENDED_BY_OUTCOME, CASE_ACTIONS } from '../../../src/domain/case.ts';
import type { CaseAction, CaseKind } from '../../../src/domain/case.ts';

/** By hand from O1, O2, R9 and P6: what an operator may do about each case. */
const EXPECTED: Readonly<Record<CaseKind, readonly CaseAction[]>> = {
  outcome_unknown: ['resolve', 'retry'],
  unreadable_answer: ['resolve', 'retry'],
  waited_too_long: ['resolve', 'retry', 'cancel'],
  late_failure: ['acknowledge'],
  late_reversal: [],
  contradiction: [],
  workflow_gone: ['ask_again'],
};

describe('CASE_ACTIONS', () => {
  it.each(Object.entries(EXPECTED))('should allow for %s: %j (O1)', (kind, actions) => {
    expect(CASE_ACTIONS[kind as CaseKind]).toEqual(actions);
  });

  it('should know the seven kinds and nothing else (O1)', () => {
    expect(Object.keys(CASE_ACTIONS).toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it('should never offer to call off what may have been sent, nor to resolve what is settled (R4, O2)', () => {
    for (const kind of ['outcome_unknown', 'unreadable_answer', 'late_failure', 'late_reversal'] as const) expect(CASE_ACTIONS[kind]).not.toContain('cancel');
    for (const kind of ['late_failure', 'late_reversal'] as const) expect(CASE_ACTIONS[kind]).not.toContain('resolve');
  });
});

describe('CASES_ENDED_BY_OUTCOME', () => {
  it('should be those that ask what became of a leg, and no others (O1)', () => {
    expect([...CASES_ENDED_BY_OUTCOME].toSorted()).toEqual(['outcome_unknown', 'unreadable_answer', 'waited_too_long', 'workflow_gone']);
  });
});
