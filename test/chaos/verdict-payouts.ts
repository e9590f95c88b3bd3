import { MAX_SENDS } from './broken.ts';
import type { Broken } from './broken.ts';
import type { PayoutEvidence } from './evidence.ts';

/** The machine of PRODUCT §6, written out from there. */
const EDGES: ReadonlySet<string> = new Set([
  'null>open', 'open>pending', 'pending>pending_confirmation', 'pending>cancelled', 'pending>expired',
  'pending_confirmation>withdrawn', 'pending_confirmation>reversed', 'pending_confirmation>cancelled',
]);
/** References that nobody can collect any more without having been paid. */
const VOID: readonly string[] = ['cancelled', 'expired'];
/** Details of `open` while the reference may still come. */
const BEING_ISSUED: readonly string[] = ['registered', 'issuing', 'verifying'];

type Finding = Omit<Broken, 'subject'>;
type PayoutRecord = NonNullable<PayoutEvidence['record']>;

/** Holds what is known of a payout order against I1 to I4, the provider's word and what callers were told. Pure. */
export function judgePayout(evidence: PayoutEvidence): readonly Broken[] {
  const { played, record } = evidence;
  const findings: readonly Finding[] = record === null
    ? unless(played.answer.status >= 300, 'I3', `acknowledged with ${played.answer.status}, and not on record`)
    : [...judgeMoney(evidence), ...judgePath(evidence, record), ...judgeAgreement(evidence, record), ...judgeWords(evidence, record), ...judgeCases(evidence, record)];
  return findings.map((finding) => ({ ...finding, subject: `${played.planned.name} (${played.payoutOrderId})` }));
}

function judgeMoney({ journal, books, references, played }: PayoutEvidence): readonly Finding[] {
  const live = references.filter(({ status }) => !VOID.includes(status));
  return [
    ...unless(journal.length <= 1, 'I1', `collected ${journal.length} times`),
    ...unless(live.length <= 1, 'I1', `${live.length} references can be collected: ${live.map(({ id, status }) => `${id} ${status}`).join(', ')}`),
    ...unless(inWords(journal) === inWords(books), 'I2', `journal [${inWords(journal)}], books [${inWords(books)}]`),
    ...unless(journal.every(({ kind, amount }) => kind === 'withdrawal' && amount === played.planned.amountMinor), 'I5', `[${inWords(journal)}] of ${played.planned.amountMinor}`),
  ];
}

function inWords(moved: PayoutEvidence['journal']): string {
  return moved.map(({ kind, amount }) => `${kind} ${amount}`).join(', ');
}

/** One way through the machine, which ends where the record is. */
function judgePath({ transitions }: PayoutEvidence, { status }: PayoutRecord): readonly Finding[] {
  const steps = transitions.map(({ from, to }) => `${from}>${to}`);
  return [
    ...steps.filter((step) => !EDGES.has(step)).map((step): Finding => ({ rule: 'I4', what: `the machine has no ${step}` })),
    ...unless(transitions.every(({ from }, index) => from === (transitions[index - 1]?.to ?? null)), 'I4', `the transitions are no path: ${steps.join(', ')}`),
    ...unless(transitions.at(-1)?.to === status, 'I4', `is ${status}, its last transition says ${transitions.at(-1)?.to}`),
  ];
}

/** Our status is the provider's. What we voided because its time was over is cancelled there; what a cancel came to nothing of may be pending there. */
function judgeAgreement(evidence: PayoutEvidence, { status, statusDetail }: PayoutRecord): readonly Finding[] {
  const { references, shownStatus, cases } = evidence;
  const theirs = references.find(({ status: one }) => !VOID.includes(one))?.status ?? references[0]?.status ?? 'open';
  const agrees = status === theirs || (status === 'expired' && theirs === 'cancelled') || (status === 'cancelled' && hasFault(evidence, 'payout.cancel', 'late_failure'))
    || (status === 'open' && (cases.length > 0 || VOID.includes(theirs)));
  const restsOpen = status !== 'open' || cases.length > 0 || !BEING_ISSUED.includes(statusDetail);
  return [
    ...unless(agrees, 'I2', `is ${status} (${statusDetail}), at the provider ${theirs}`),
    ...unless(shownStatus === status, 'answer', `is ${status}, and shown as ${shownStatus}`),
    ...unless(restsOpen, 'I3', `is still being issued: ${statusDetail}`),
    ...unless(status !== 'open' || cases.length > 0 || isNeverIssued(evidence, statusDetail), 'ending', `stays open (${statusDetail}) though nobody declined it`),
  ];
}

/** It was declined, or ran out of time before the provider could take it. */
function isNeverIssued(evidence: PayoutEvidence, statusDetail: string): boolean {
  if (hasFault(evidence, 'payout.create', 'decline')) return true;
  // Refused for its date, or nowhere to be found when its time was over after sends of unknown outcome.
  return evidence.played.planned.story === 'expire' && (statusDetail.includes('expires_at') || (statusDetail === 'never_issued' && evidence.references.length === 0));
}

/** What callers were told is true in the end. */
function judgeWords(evidence: PayoutEvidence, { status }: PayoutRecord): readonly Finding[] {
  const { played } = evidence;
  const done = played.told.filter(({ says }) => says === 'done').map(({ act }) => act);
  const isLost = played.told.some(({ says }) => says === 'lost');
  const cancelled = played.told.find(({ act }) => act === 'cancel');
  const isCalledOff = hasFault(evidence, 'payout.create', 'late_failure');
  const due = done.includes('confirmation') ? ['withdrawn'] : done.includes('reversal') ? ['reversed'] : done.includes('cancel') ? ['cancelled'] : done.includes('withdrawal') ? ['withdrawn'] : DUE[played.planned.story];
  const ids = [played.answer, played.twin].flatMap((answer) => idOf(answer?.body) ?? []);
  return [
    ...unless(cancelled?.says !== 'done' || status === 'cancelled', 'told', `cancel: told done, it is ${status}`),
    ...unless(cancelled?.says !== 'refused' || status !== 'cancelled' || isCalledOff, 'told', `cancel: told refused, it is ${status}`),
    ...unless(due === null || due.includes(status) || isLost || status === 'open' || (isCalledOff && status === 'cancelled'), 'ending', `${played.told.map(({ act, says }) => `${act} ${says}`).join(', ') || 'nothing done'}, and it is ${status}`),
    ...unless(ids.every((id) => id === played.payoutOrderId), 'told', `two posts of one key made ${ids.join(' and ')}`),
  ];
}

/** How a payout order ends of which nobody was told that anything was done. */
const DUE: Readonly<{ [Story in PayoutEvidence['played']['planned']['story']]: readonly string[] | null }> = {
  leave: ['pending'], expire: ['expired'], cancel: ['pending', 'cancelled'], confirm: null, reverse: null, window: null, withdraw_cancel: null, cancel_race: null, rail_race: null,
};

function judgeCases(evidence: PayoutEvidence, { sends }: PayoutRecord): readonly Finding[] {
  // A rail that reports a withdrawal which the books exclude, and a provider that takes a cancellation back, are put before a person.
  const mayContradict = evidence.played.planned.isReported || hasFault(evidence, 'payout.cancel', 'late_failure');
  return evidence.cases.filter((kind) => !(kind === 'outcome_unknown' && sends >= MAX_SENDS) && !(kind === 'contradiction' && mayContradict))
    .map((kind): Finding => ({ rule: 'case', what: `has a case ${kind} after ${sends} sends: ${evidence.played.planned.faults.map(({ operation, mode }) => `${operation} ${mode}`).join(', ') || 'no fault'}` }));
}

function hasFault({ played }: PayoutEvidence, operation: string, mode: string): boolean {
  return played.planned.faults.some((fault) => fault.operation === operation && fault.mode === mode);
}

function idOf(body: unknown): string | null {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string' ? body.id : null;
}

function unless(isKept: boolean, rule: Finding['rule'], what: string): readonly Finding[] {
  return isKept ? [] : [{ rule, what }];
}
