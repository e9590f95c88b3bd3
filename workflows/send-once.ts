import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { CaseKind } from '../activities/contracts.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';
import { NOT_SENT_BEFORE_CASE, notSentPauseMs } from './backoff.ts';

/** The two answers of a send that do not settle anything. */
type Unsettled = { readonly kind: 'unknown' } | { readonly kind: 'not_sent'; readonly retryAfterMs: number | null };

/** What the send protocol needs to know about one thing to send: how to send it, how to look for it, whom to tell. */
export interface SendOnceSteps<Done> {
  readonly protocol: SendProtocol;
  /** Sends with one attempt; a lost Activity counts as `unknown`. */
  send(sendNumber: number): Promise<Done | Unsettled>;
  /** Asks the provider after the settle delay. */
  find(sendNumber: number): Promise<Done | { readonly kind: 'absent' } | { readonly kind: 'not_sent' } | { readonly kind: 'unknown' }>;
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
export async function sendOnce<Done extends { readonly kind: string }>(steps: SendOnceSteps<Done>): Promise<Done | { readonly kind: 'gave_up' }> {
  const { protocol } = steps;
  let unknownSends = 0;
  let notSent = 0;
  for (let sendNumber = 1; ; sendNumber += 1) {
    const answer = await send(steps, sendNumber);
    if (isNotSent(answer)) {
      notSent += 1;
      if (notSent === NOT_SENT_BEFORE_CASE) await steps.openCase('waited_too_long');
      const pauseMs = notSentPauseMs(notSent, answer.retryAfterMs);
      await steps.parked('provider_unavailable', () => sleep(pauseMs, { summary: `provider took nothing: send again, attempt ${sendNumber + 1}` }));
      continue;
    }
    if (!isUnknown(answer)) return answer;
    unknownSends += 1;
    if (protocol.idempotency === 'none') break;
    const found = await steps.parked('verifying', async () => {
      await sleep(protocol.settleDelayMs, { summary: 'settle delay: the provider may still commit the lost request' });
      return steps.find(sendNumber);
    });
    if (found.kind !== 'absent' && found.kind !== 'not_sent' && found.kind !== 'unknown') return found as Done;
    if (unknownSends >= protocol.maxSends) break;
  }
  await steps.openCase('outcome_unknown');
  return { kind: 'gave_up' };
}

async function send<Done extends { readonly kind: string }>(steps: SendOnceSteps<Done>, sendNumber: number): Promise<Done | Unsettled> {
  try {
    return await steps.send(sendNumber);
  } catch (error) {
    // A lost worker, a timeout or a database that failed after the call: the request may have been executed.
    if (error instanceof ActivityFailure && !isCancellation(error)) return { kind: 'unknown' };
    throw error;
  }
}

function isNotSent(answer: { readonly kind: string }): answer is { readonly kind: 'not_sent'; readonly retryAfterMs: number | null } {
  return answer.kind === 'not_sent';
}

function isUnknown(answer: { readonly kind: string }): answer is { readonly kind: 'unknown' } {
  return answer.kind === 'unknown';
}
