import type { FindOutcome, SendOutcome, SubmitRefundInput } from '../../activities/contracts.ts';
import { letCallsEnd, type Scene } from './activity-scene.ts';

/** How a leg ended: with an outcome that is known for sure, or given up to a human. */
export type Ending = Exclude<SendOutcome, { kind: 'unknown' | 'not_sent' }> | Extract<FindOutcome, { kind: 'found' | 'declined' }> | { readonly kind: 'gave_up' };

/** What may be left out of the protocol, to see that the tests notice. */
export interface LoopOptions {
  readonly maxSends: number;
  /** Runs in place of each send; the scene's own Activity when omitted. */
  readonly submit?: (this: void, input: SubmitRefundInput) => Promise<SendOutcome>;
  /** The look for an outcome that is unknown; the scene's own Activity when omitted. */
  readonly find?: (this: void, input: SubmitRefundInput) => Promise<FindOutcome>;
  /** What the provider does during the settle delay; it commits what it put off when omitted. */
  readonly settle?: (this: void) => void;
}

/** As often as this, a send that was not taken is tried again. */
const MAX_ATTEMPTS = 20;

/** The send protocol (S4) as the Workflow runs it, with the time of its waits skipped. */
export async function sendOnceLoop(scene: Scene, leg: SubmitRefundInput, options: LoopOptions): Promise<Ending> {
  const submit = options.submit ?? ((input) => scene.refunds.submitRefund(input));
  let unknownSends = 0;
  for (let sendNumber = 1; sendNumber <= MAX_ATTEMPTS; sendNumber += 1) {
    const input = { ...leg, sendNumber };
    // An Activity that is lost counts as unknown.
    const sent = await submit(input).catch((): SendOutcome => ({ kind: 'unknown' }));
    if (sent.kind === 'not_sent') continue;
    if (sent.kind !== 'unknown') return sent;
    const found = await settleAndFind(scene, input, options);
    if (found.kind === 'found' || found.kind === 'declined') return found;
    if (found.kind === 'never_sent') continue;
    unknownSends += 1;
    if (unknownSends >= options.maxSends) break;
  }
  return { kind: 'gave_up' };
}

async function settleAndFind(scene: Scene, input: SubmitRefundInput, options: LoopOptions): Promise<FindOutcome> {
  const find = options.find ?? ((wanted) => scene.refunds.findRefund(wanted));
  if (options.settle === undefined) scene.provider.commitLate();
  else options.settle();
  await letCallsEnd(scene);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await find(input);
      if (found.kind !== 'too_early') return found;
      if (attempt === MAX_ATTEMPTS) throw new Error('the look never came late enough');
      await letCallsEnd(scene);
    } catch (error) {
      // The look is retried until it answers.
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
