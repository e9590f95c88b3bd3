import { ActivityFailure, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { AskCause, PayoutOrderPlan, PayoutOutcome } from '../activities/payout-contracts.ts';
import type { CaseKind } from '../src/domain/case.ts';
import { isFactShown } from '../src/domain/payout-order.ts';
import type { PayoutClaim } from '../src/domain/payout-order.ts';
import * as activities from './activity-options.ts';
import { claimPauseMs, LOOKS_FOR_CLAIM, ROUNDS_BEFORE_CASE } from './backoff.ts';
import { answersForLastFacts, followsFactsDuringVoids, looksForClaimsAgain } from './patches.ts';
import { answerReports, askAgainLater, isFinal, isPastExpiry, moveTo, parkCancels, publish, refOf, refuseCancels, show } from './payout-order-run.ts';
import type { PayoutOrderRun } from './payout-order-run.ts';
import { sendOnce } from './send-once.ts';

/** Asks the provider to void the reference, and believes only its verified answer (P2, P4). */
export async function voidFor(run: PayoutOrderRun, plan: PayoutOrderPlan, cause: 'cancel' | 'expiry'): Promise<void> {
  const ref = refOf(run);
  const actor = cause === 'cancel' ? run.cancels[0]?.by ?? 'unknown' : 'expiry';
  const outcome = await sendOnce<PayoutOutcome>({
    protocol: plan.protocol,
    send: () => activities.voidReference.executeWithOptions({ summary: `void the reference: ${cause}` }, [{ ...ref, cause, actor, isWithdrawalTold: run.claims.has('withdrawal') || run.claims.has('confirmation') }]),
    // Voiding twice does no harm: a reference that the look finds unchanged is simply asked to be voided again.
    find: async () => {
      const seen = await activities.followPayoutOrder.executeWithOptions({ summary: 'was the reference voided?' }, [{ ...ref, cause, actor }]);
      return seen.kind === 'settled' && seen.status === run.status ? { kind: 'absent' } : seen;
    },
    pause: async ({ why, ms, summary }) => {
      run.settling = why === 'verifying';
      parkCancels(run);
      answerReports(run);
      await pauseVoid(run, why === 'provider_unavailable', ms, summary);
      run.settling = false;
      return why === 'provider_unavailable' ? followMeanwhile(run) : null;
    },
    openCase: (kind) => openCase(run, kind),
  });
  run.voidParked = false;
  if (outcome.kind === 'settled') return moveTo(run, outcome.status);
  if (outcome.kind === 'declined') await follow(run, cause);
  else if (outcome.kind === 'contradiction') await openCase(run, 'contradiction');
  else if (cause === 'expiry') await again(run, 'expiry');
  if (!isFinal(run)) refuseCancels(run);
}

/** A provider that takes no void may tell all the same what becomes of the reference: then that is followed, and settles whether there is anything to void. */
async function followMeanwhile(run: PayoutOrderRun): Promise<PayoutOutcome | null> {
  if ((!run.factArrived && !run.windowDue) || !followsFactsDuringVoids()) return null;
  const before = run.status;
  const cause = run.factArrived ? 'fact' : 'window_ended';
  if (cause === 'fact') run.factArrived = false;
  else run.windowDue = false;
  await follow(run, cause);
  return run.status === before ? null : { kind: 'settled', status: run.status };
}

async function pauseVoid(run: PayoutOrderRun, isUnsent: boolean, ms: number, summary: string): Promise<void> {
  const isOver = sleep(ms, { summary });
  const mayHurry = !run.settling;
  // A fact that arrives meanwhile says that the provider is back: it is followed, then the void is asked for again at once.
  const heard = (): boolean => isUnsent && run.factArrived;
  if (!heard()) await Promise.race([isOver, condition(() => heard() || (mayHurry && run.retries.length > 0))]);
  else await isOver;
  if (mayHurry && run.retries.length > 0) await takeRetry(run);
}

/** Reads the provider's state and follows it (P2: if it says otherwise, it is right). */
export async function follow(run: PayoutOrderRun, cause: AskCause): Promise<void> {
  const reports = [...run.reports];
  // Told of a reversal, nobody concludes from silence that the window ended well: the provider has to say which (P2).
  const concludes = cause === 'window_ended' && run.reversalTold ? 'fact' : cause;
  const seen = await look(() => activities.followPayoutOrder.executeWithOptions({ summary: `what does the provider say? ${cause}` }, [{ ...refOf(run), cause: concludes, actor: cause }]));
  if (seen?.kind === 'settled') moveTo(run, seen.status);
  answerReports(run, reports);
  if (seen === null) return again(run, cause);
  if (seen.kind === 'contradiction') await openCase(run, 'contradiction');
  // The clock says that it is over and the provider is not done: the same question again in a while, anything else meanwhile.
  if (cause === 'expiry' && run.status === 'pending') await again(run, 'expiry');
  if (cause === 'window_ended' && run.status === 'pending_confirmation') await again(run, 'window_ended');
  lookForClaimsAgain(run);
}

/** What facts said and the provider does not show yet is looked for a few times; then the next deadline asks (P6). */
function lookForClaimsAgain(run: PayoutOrderRun): void {
  for (const claim of run.claims) if (isFactShown(run.status, claim)) run.claims.delete(claim);
  if (run.claims.size === 0 || run.claimTimerRuns || isFinal(run)) return;
  if (run.claimLooks >= LOOKS_FOR_CLAIM) return run.claims.clear();
  if (!looksForClaimsAgain()) return run.claims.clear();
  run.claimLooks += 1;
  run.claimTimerRuns = true;
  void sleep(claimPauseMs(run.claimLooks), { summary: 'a fact was told that the provider does not show yet: look again' }).then(() => {
    run.claimTimerRuns = false;
    if (run.claims.size > 0) run.factArrived = true;
  });
}

/** What facts said and the end does not contain. */
function unexplained(run: PayoutOrderRun): readonly PayoutClaim[] {
  return [...run.claims].filter((claim) => !isFactShown(run.status, claim));
}

/** Whether something was told that the end does not contain, while the last answer was under way: nobody would ask about it any more. */
export function hasLastFacts(run: PayoutOrderRun): boolean {
  return unexplained(run).length > 0 && answersForLastFacts();
}

/**
 * Puts before a human what was told and the end does not contain (P6), as a webhook that comes after the end does. Only that a withdrawal began
 * may have gone with its reference: then the provider, asked once more, says nothing else than our books.
 */
export async function answerForLastFacts(run: PayoutOrderRun): Promise<void> {
  const claims = unexplained(run);
  run.claims.clear();
  run.factArrived = false;
  if (run.status !== 'open' && claims.every((claim) => claim === 'withdrawal')) {
    const seen = await look(() => activities.followPayoutOrder.executeWithOptions({ summary: 'what does the provider say? last fact' }, [{ ...refOf(run), cause: 'fact', actor: 'fact' }]));
    if (seen?.kind === 'settled') return;
  }
  await openCase(run, run.status === 'withdrawn' && claims.includes('reversal') ? 'late_reversal' : 'contradiction');
}

/** Does at once what a clock has made due, or else asks the provider, because an operator wants it (O2). */
export async function retryNow(run: PayoutOrderRun, plan: PayoutOrderPlan): Promise<void> {
  if (run.status === 'pending' && isPastExpiry(run)) {
    // A void may take long: who asked for it need not wait.
    await takeRetry(run);
    return voidFor(run, plan, 'expiry');
  }
  return takeRetry(run, () => follow(run, run.status === 'pending_confirmation' && run.windowEnded ? 'window_ended' : 'retry'));
}

/** Writes down who wants things tried now (O3), tries, and tells them. */
export async function takeRetry(run: PayoutOrderRun, attempt: () => Promise<void> = async () => undefined): Promise<void> {
  const asked = run.retries.shift();
  if (asked === undefined) return;
  await activities.recordPayoutAct({ ...refOf(run), act: 'retried', actor: asked.actor, reason: asked.reason });
  await attempt();
  asked.verdict = 'done';
}

async function again(run: PayoutOrderRun, cause: AskCause): Promise<void> {
  if (run.rounds + 1 === ROUNDS_BEFORE_CASE) await openCase(run, 'waited_too_long');
  askAgainLater(run, cause);
}

/** A look at the provider, or `null` when it does not answer for a minute: then other things may be more urgent. */
export async function look<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return null;
    throw error;
  }
}

/** Puts the payout order before a human (O1). */
export async function openCase(run: PayoutOrderRun, kind: CaseKind): Promise<void> {
  run.needsAttention = true;
  run.contradicted ||= kind === 'contradiction';
  show(run);
  publish(run);
  await activities.openCase({ merchantId: run.request.merchantId, kind, payoutOrderId: run.request.payoutOrderId });
}
