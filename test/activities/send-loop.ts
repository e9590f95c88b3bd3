import { ActivityFailure } from '@temporalio/common';

import type { FindOutcome, SendOutcome, SubmitRefundInput } from '../../activities/contracts.ts';
import type { CaseKind } from '../../src/domain/case.ts';
import type { IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import { sendOnce, type GaveUp } from '../../workflows/send-once.ts';
import { letCallsEnd, type Scene } from './activity-scene.ts';

/** An outcome that is known for sure. */
type Known = Extract<SendOutcome, { kind: 'accepted' | 'declined' }> | Extract<FindOutcome, { kind: 'found' | 'declined' }>;

/** How a leg ended: with an outcome that is known for sure, given up to a human, or stopped by the test in the middle of its pauses. */
export type Ending = Known | GaveUp | { readonly kind: 'stopped' };

/** What may be left out of the protocol, to see that the tests notice. */
export interface LoopOptions {
  readonly maxSends: number;
  /** What the protocol takes the provider for; what the scene's provider says of itself when omitted. */
  readonly idempotency?: IdempotencyCapability;
  /** Runs in place of each send; the scene's own Activity when omitted. */
  readonly submit?: (this: void, input: SubmitRefundInput) => Promise<SendOutcome>;
  /** The look for an outcome that is unknown; the scene's own Activity when omitted. */
  readonly find?: (this: void, input: SubmitRefundInput) => Promise<FindOutcome>;
  /** What the provider does during the settle delay; it commits what it put off when omitted. */
  readonly settle?: (this: void) => void;
  /** Told of each case. */
  readonly opened?: (this: void, kind: CaseKind) => void;
}

/** After so many pauses a leg that has no end is stopped. */
const MAX_PAUSES = 40;

/** An Activity that failed, as a Workflow sees it. */
async function asActivity<T>(activityType: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new ActivityFailure('Activity task failed', activityType, undefined, 'MAXIMUM_ATTEMPTS_REACHED', undefined, error instanceof Error ? error : undefined);
  }
}

/** The send protocol (S4), the Workflow's own, with the time of its waits skipped. */
export async function sendOnceLoop(scene: Scene, leg: SubmitRefundInput, options: LoopOptions): Promise<Ending> {
  const { submit = (input) => scene.refunds.submitRefund(input), find = (input) => scene.refunds.findRefund(input), settle = () => scene.provider.commitLate() } = options;
  let pauses = 0;
  return sendOnce<Known | { readonly kind: 'stopped' }>({
    protocol: { idempotency: options.idempotency ?? scene.provider.adapter.idempotency, settleDelayMs: 1000, maxSends: options.maxSends },
    send: (sendNumber) => asActivity('submitRefund', () => submit({ ...leg, sendNumber })),
    find: (sendNumber) => asActivity('findRefund', () => find({ ...leg, sendNumber })),
    pause: async ({ why }) => {
      pauses += 1;
      if (pauses > MAX_PAUSES) return { kind: 'stopped' };
      if (why === 'verifying') settle();
      await letCallsEnd(scene);
      return null;
    },
    openCase: async (kind) => options.opened?.(kind),
  });
}
