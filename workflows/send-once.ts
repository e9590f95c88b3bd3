import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { NotFound, Unsettled } from '../activities/contracts.ts';
import type { CaseKind } from '../src/domain/case.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';
import { NO_ANSWER_BEFORE_CASE, noAnswerPauseMs, NOT_SENT_BEFORE_CASE, notSentPauseMs } from './backoff.ts';

/** An outcome that is known for sure; its kinds are the caller's. */
type Outcome = { readonly kind: string };

/** What is waited for between two steps: the settle delay, a provider that answers a look, or one that takes requests. Callers are answered meanwhile. */
export type PauseFor = 'verifying' | 'look_unanswered' | 'provider_unavailable';

/** What the send protocol needs to know about one thing to send: how to send it, how to look for it, whom to tell. */
export interface SendOnceSteps<Done extends Outcome> {
  readonly protocol: SendProtocol;
  /** Sends with one attempt; a lost Activity counts as `unknown`. */
  send(sendNumber: number): Promise<Done | Unsettled>;
  /** Asks the provider after the settle delay. */
  find(sendNumber: number): Promise<Done | NotFound>;
  /** Waits with a timer of the Workflow; answers an outcome when a human decided meanwhile, `null` when it is time to go on. */
  pause(wait: { readonly why: PauseFor; readonly ms: number; readonly summary: string }): Promise<Done | null>;
  /** Puts the matter before a human. */
  openCase(kind: CaseKind): Promise<void>;
}

/** After `maxSends` sends whose outcome stayed unknown: a case is open, nothing more is sent. */
export interface GaveUp {
  readonly kind: 'gave_up';
  /** The number of the last send. */
  readonly lastSend: number;
}

/**
 * The send protocol of PRODUCT §4: send once, settle, verify. Returns what is known for sure, or that it gave up. With `lastSend` it goes
 * on where it gave up, or where an earlier run of the Workflow was: it looks for that send once more before it sends again.
 *
 * Wherever the worker dies, this loop goes on from history: before the send nothing happened; during it the Activity is
 * lost and the outcome is `unknown`; the settle delay is a timer of the Workflow, so no death shortens it.
 */
export async function sendOnce<Done extends Outcome>(steps: SendOnceSteps<Done>, lastSend = 0): Promise<Done | GaveUp> {
  const { protocol } = steps;
  if (lastSend > 0 && protocol.idempotency !== 'key') {
    const found = await lookUntilAnswered(steps, lastSend, null);
    if (isDone(found)) return found;
    // A provider that cannot be asked says nothing by showing nothing (S6).
    if (protocol.idempotency === 'none' && found.kind !== 'never_sent') return giveUp(steps, lastSend);
  }
  let unknownSends = 0;
  let notSent = 0;
  for (let sendNumber = lastSend + 1; ; sendNumber += 1) {
    const answer = await sendAndVerify(steps, sendNumber);
    if (isDone(answer)) return answer;
    if (answer.kind === 'not_sent') {
      notSent += 1;
      if (notSent === NOT_SENT_BEFORE_CASE) await steps.openCase('waited_too_long');
      const decided = await steps.pause({
        why: 'provider_unavailable', ms: notSentPauseMs(notSent, answer.retryAfterMs), summary: `nothing was sent: send again, attempt ${sendNumber + 1}`,
      });
      if (decided !== null) return decided;
      continue;
    }
    unknownSends += 1;
    if (protocol.idempotency === 'key') {
      const decided = await pauseBeforeSameKey(steps, unknownSends);
      if (decided !== null) return decided;
    } else if (protocol.idempotency === 'none' || unknownSends >= protocol.maxSends) {
      return giveUp(steps, sendNumber);
    }
  }
}

async function giveUp<Done extends Outcome>(steps: SendOnceSteps<Done>, lastSend: number): Promise<GaveUp> {
  await steps.openCase('outcome_unknown');
  return { kind: 'gave_up', lastSend };
}

/** A provider that honours our key may be sent the same request at will (S3): with growing pauses, and a human told when it does not help. */
async function pauseBeforeSameKey<Done extends Outcome>(steps: SendOnceSteps<Done>, unknownSends: number): Promise<Done | null> {
  if (unknownSends === NOT_SENT_BEFORE_CASE) await steps.openCase('outcome_unknown');
  return steps.pause({ why: 'provider_unavailable', ms: notSentPauseMs(unknownSends, null), summary: 'the answer was lost: send again with the same key' });
}

/** One send and, when its outcome is unknown and the provider can be asked, the look after the settle delay. */
async function sendAndVerify<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | Unsettled> {
  const { idempotency, settleDelayMs } = steps.protocol;
  const answer = await send(steps, sendNumber);
  if (isDone(answer) || answer.kind === 'not_sent' || idempotency === 'none' || idempotency === 'key') return answer;
  const found = await lookUntilAnswered(steps, sendNumber, settleDelayMs);
  if (isDone(found)) return found;
  return found.kind === 'never_sent' ? { kind: 'not_sent', retryAfterMs: null } : { kind: 'unknown' };
}

/** Waits out the settle delay, and whatever a lost Activity may still need, with timers of the Workflow; then looks until the look says something. */
async function lookUntilAnswered<Done extends Outcome>(steps: SendOnceSteps<Done>, sendNumber: number, firstPauseMs: number | null): Promise<Done | NotFound> {
  let pauseMs = firstPauseMs;
  for (let unanswered = 0; ;) {
    const decided = pauseMs === null ? null : await steps.pause(unanswered === 0
      ? { why: 'verifying', ms: pauseMs, summary: 'settle delay: the provider may still commit the lost request' }
      : { why: 'look_unanswered', ms: pauseMs, summary: 'the provider does not show what became of the request: look again' });
    if (decided !== null) return decided;
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
