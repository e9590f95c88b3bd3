import { condition, sleep } from '@temporalio/workflow';
import type { NotFound } from '../activities/contracts.ts';
import type { PayoutOrderPlan, PayoutOutcome } from '../activities/payout-contracts.ts';
import * as activities from './activity-options.ts';
import { followPauseMs } from './backoff.ts';
import { looksOnFactsWhileIssuing } from './patches.ts';
import { look, openCase, takeRetry } from './payout-order-asking.ts';
import { answerReports, askAgainLater, isPastExpiry, refOf, show, startExpiryTimer } from './payout-order-run.ts';
import type { PayoutOrderRun } from './payout-order-run.ts';
import { sendOnce } from './send-once.ts';
import type { PauseFor } from './send-once.ts';

/**
 * Asks for the reference by the send protocol; our id in the provider's metadata finds it again after a lost answer. When its outcome stays
 * unknown, nothing is sent any more (S4) unless an operator wants it tried again, which looks first.
 */
export async function issue(run: PayoutOrderRun, plan: PayoutOrderPlan): Promise<PayoutOutcome | NotFound> {
  let { lastSend } = plan;
  let gaveUpBefore = false;
  for (;;) {
    const outcome = await issueOnce(run, plan, lastSend);
    run.waitsFor = null;
    if (outcome.kind !== 'gave_up') return outcome;
    if (!gaveUpBefore) startExpiryTimer(run);
    gaveUpBefore = true;
    ({ lastSend } = outcome);
    const late = await awaitLateReference(run, plan, outcome.lastSend);
    if (late !== 'try_again') return late;
  }
}

function issueOnce(run: PayoutOrderRun, plan: PayoutOrderPlan, lastSend: number | undefined) {
  const ref = refOf(run);
  return sendOnce<PayoutOutcome>({
    protocol: plan.protocol,
    send: (sendNumber) => activities.issueReference.executeWithOptions({ summary: `ask for the reference, send ${sendNumber}` }, [{ ...ref, sendNumber }]),
    find: (sendNumber) => activities.findReference.executeWithOptions({ summary: `was send ${sendNumber} executed?` }, [{ ...ref, sendNumber }]),
    pause: async ({ why, ms, summary }) => {
      run.answerable = true;
      run.waitsFor = why === 'provider_unavailable' ? 'the provider to take the request' : 'the settle delay, then a look at the provider';
      run.settling = why === 'verifying';
      answerReports(run);
      show(run);
      await pauseIssuing(run, why, ms, summary);
      run.settling = false;
      return null;
    },
    openCase: (kind) => openCase(run, kind),
  }, lastSend);
}

/**
 * Waits, at most until a fact says that the provider has something of ours, or an operator wants it tried now; he may not cut the settle delay
 * short. A look that comes early for it can find a reference, and never prove that there is none: the quiet time is the Activity's to keep.
 */
async function pauseIssuing(run: PayoutOrderRun, why: PauseFor, ms: number, summary: string): Promise<void> {
  let isOver = false;
  const over = sleep(ms, { summary }).then(() => { isOver = true; });
  const isRetried = (): boolean => why !== 'verifying' && run.retries.length > 0;
  await Promise.race([over, condition(() => isRetried() || run.factArrived)]);
  if (!isOver && !isRetried()) {
    if (!looksOnFactsWhileIssuing()) await Promise.race([over, condition(isRetried)]);
    // The look that comes next is hastened by it.
    else if (why !== 'provider_unavailable') takeFact(run);
  }
  if (isRetried()) await takeRetry(run);
}

/** Takes a fact up that hastens the look for the reference. */
function takeFact(run: PayoutOrderRun): void {
  run.heardWhileIssuing ||= run.factArrived;
  run.factArrived = false;
}

/** The outcome of issuing stayed unknown: a reference may exist. Facts, the expiry and operators make us look again. */
async function awaitLateReference(run: PayoutOrderRun, { pollMs }: PayoutOrderPlan, lastSend: number): Promise<PayoutOutcome | NotFound | 'try_again'> {
  const happens = (): boolean => run.factArrived || run.expiryDue || run.retries.length > 0;
  for (let looks = 0; ; looks += 1) {
    if (pollMs === undefined) await condition(happens);
    // Ever more rarely: a human was told, and this history, which no new run can take over from, must not reach the server's limit.
    else await condition(happens, Math.max(pollMs, followPauseMs(looks)), { summary: 'a look at a provider that sends no webhooks' });
    const isRetried = run.retries.length > 0;
    if (isRetried) await takeRetry(run);
    // Beyond its expiry nobody could collect a reference any more: it is only looked for.
    if (isRetried && !isPastExpiry(run)) return 'try_again';
    takeFact(run);
    const isDue = run.expiryDue;
    const isLast = isDue || isPastExpiry(run);
    run.expiryDue = false;
    const reports = [...run.reports];
    const found = await look(() => activities.findReference.executeWithOptions({ summary: 'is there a reference after all?' }, [{ ...refOf(run), sendNumber: lastSend, isLast }]));
    answerReports(run, reports);
    if (found === null || found.kind === 'too_early') askAgainLater(run, isLast ? 'expiry' : 'fact');
    // A last look writes down what it finds. Mere absence comes from a worker of before: then only the clock ends it, as it did.
    else if (found.kind === 'settled' || (isLast && (isDue || found.kind !== 'absent'))) return found;
  }
}
