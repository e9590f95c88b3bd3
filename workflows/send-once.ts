import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { CaseKind, NotFound, Unsettled } from '../activities/contracts.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';
import { NO_ANSWER_BEFORE_CASE, noAnswerPauseMs, NOT_SENT_BEFORE_CASE, notSentPauseMs } from './backoff.ts';

/** An outcome that is known for sure; its kinds are the caller's. */
type Outcome = { readonly kind: string };

/** What the send protocol needs to know about one thing to send: how to send it, how to look for it, whom to tell. */
export interface SendOnceSteps<Done extends Outcome> {
  readonly protocol: SendProtocol;
  /** Sends with one attempt; a lost Activity counts as `unknown`. */
  send(sendNumber: number): Promise<Done | Unsettled>;
  /** Asks the provider after the settle delay. */
  find(sendNumber: number): Promise<Done | NotFound>;
  /** Runs a wait during which callers are answered with the state as it is. */
  parked<T>(why: 'verifying' | 'provider_unavailable', wait: () => Promise<T>): Promise<T>;
  /** Puts the matter before a human. */
  openCase(kind: CaseKind): Promise<void>;
}

/**
 * The send protocol of PRODUCT §4: send once, settle, verify. Returns what is known for sure, or `gave_up` after
 * `maxSends` sends whose outcome stayed unknown (a case is then open, nothing more is sent).
 *
 * Wherever the worker dies, this loop goes on from history: before the send nothing happened; during it the Activity is
 * lost and the outcome is `unknown`; the settle delay is a timer of the Workflow, so no death shortens it.
 */
export async function sendOnce<Done extends Outcome>(steps: SendOnceSteps<Done>): Promise<Done | { readonly kind: 'gave_up' }> {
  const { protocol } = steps;
  let unknownSends = 0;
  let notSent = 0;
  for (let sendNumber = 1; ; sendNumber += 1) {
    const answer = await sendAndVerify(steps, sendNumber);
    if (isDone(answer)) return answer;
    if (answer.kind === 'not_sent') {
      notSent += 1;
      if (notSent === NOT_SENT_BEFORE_CASE) await steps.openCase('waited_too_long');
      const pauseMs = notSentPauseMs(notSent, answer.retryAfterMs);
      await steps.parked('provider_unavailable', () => sleep(pauseMs, { summary: `nothing was sent: send again, attempt ${sendNumber + 1}` }));
      continue;
    }
    unknownSends += 1;
    if (protocol.idempotency === 'none' || unknownSends >= protocol.maxSends) break;
  }
  await steps.openCase('outcome_unknown');
  return { kind: 'gave_up' };
}

/** One send and, when its outcome is unknown, the look after the settle delay. */
async function sendAndVerify<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | Unsettled> {
  const answer = await send(steps, sendNumber);
  if (isDone(answer) || answer.kind === 'not_sent' || steps.protocol.idempotency === 'none') return answer;
  const found = await steps.parked('verifying', () => settleAndFind(steps, sendNumber));
  if (isDone(found)) return found;
  return found.kind === 'never_sent' ? { kind: 'not_sent', retryAfterMs: null } : { kind: 'unknown' };
}

/** Waits out the settle delay, and whatever a lost Activity may still need, with timers of the Workflow; then looks. */
async function settleAndFind<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | NotFound> {
  let pauseMs = steps.protocol.settleDelayMs;
  for (let unanswered = 0; ;) {
    await sleep(pauseMs, { summary: 'settle delay: the provider may still commit the lost request' });
    const found = await find(steps, sendNumber);
    if (found.kind === 'no_answer') {
      // Nothing is sent while the provider does not show what became of this send, however long that takes.
      unanswered += 1;
      if (unanswered === NO_ANSWER_BEFORE_CASE) await steps.openCase('unreadable_answer');
      pauseMs = noAnswerPauseMs(unanswered);
    } else if (isDone(found) || found.kind !== 'too_early') return found as Done | NotFound;
    else pauseMs = found.waitMs;
  }
}

async function find<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | NotFound | { readonly kind: 'no_answer' }> {
  try {
    return await steps.find(sendNumber);
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return { kind: 'no_answer' };
    throw error;
  }
}

async function send<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | Unsettled> {
  try {
    return await steps.send(sendNumber);
  } catch (error) {
    // A lost worker, a timeout or a database that failed after the call: the request may have been executed.
    if (error instanceof ActivityFailure && !isCancellation(error)) return { kind: 'unknown' };
    throw error;
  }
}

/** The answers that settle nothing; everything else is an outcome. */
const UNSETTLED: ReadonlySet<string> = new Set<(Unsettled | NotFound)['kind']>(['unknown', 'not_sent', 'absent', 'never_sent', 'too_early']);

function isDone<Done extends Outcome>(answer: Done | Unsettled | NotFound): answer is Done {
  return !UNSETTLED.has(answer.kind);
}
