/** What an operator may do about a case (O1): each is an audited update of a Workflow (O2, O3). */
export type CaseAction =
  /** Say what became of it: `succeeded` with the provider's id, or `failed`. */
  | 'resolve'
  /** Try again what the Workflow waits for, now. */
  | 'retry'
  /** Call the refund off, as long as nothing was sent. */
  | 'cancel'
  /** Take note of what cannot be changed. */
  | 'acknowledge'
  /** Ask again with the same key: that starts the Workflow anew where the records stand. */
  | 'ask_again';

/** The kinds of cases (O1), and what may be done about each. */
export const CASE_ACTIONS = {
  /** Every send that is allowed ended without an answer, and no look found its result (S4). */
  outcome_unknown: ['resolve', 'retry'],
  /** The provider does not show what became of a send, or not in a form that can be read (S7). */
  unreadable_answer: ['resolve', 'retry'],
  /** A wait is longer than its limit. */
  waited_too_long: ['resolve', 'retry', 'cancel'],
  /** The provider took a refund back after it had succeeded (R9). */
  late_failure: ['acknowledge'],
  /** The rail took a withdrawal back after its window (P6). */
  late_reversal: [],
  /** The provider says something that the books exclude. */
  contradiction: [],
  /** The Workflow of a refund was ended by hand before the refund was over. */
  workflow_gone: ['ask_again'],
} as const satisfies Record<string, readonly CaseAction[]>;

/** A kind of case. */
export type CaseKind = keyof typeof CASE_ACTIONS;

/** What may be done about a case. What became of a payout order is the provider's word alone (P2): there is nothing to resolve by a human's. */
export function caseActions(kind: CaseKind, subject: 'refund' | 'payout_order'): readonly CaseAction[] {
  const actions: readonly CaseAction[] = CASE_ACTIONS[kind];
  return subject === 'refund' ? actions : actions.filter((action) => action !== 'resolve');
}

/** Cases that are over as soon as the outcome of their leg is known, however it became known. */
export const CASES_ENDED_BY_OUTCOME: readonly CaseKind[] = ['outcome_unknown', 'unreadable_answer', 'waited_too_long', 'workflow_gone'];

/** What a human decided about a leg (O2). */
export type LegResolution = { readonly outcome: 'succeeded'; readonly providerRefundId: string } | { readonly outcome: 'failed' };
