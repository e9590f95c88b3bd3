import type { Checkpoint } from '../../src/domain/checkpoint.ts';
import { turnAwaitedSignal } from '../../workflows/messages.ts';
import { eventually } from '../workflow/eventually.ts';
import { detailsOf } from '../workflow/read-details.ts';
import { countOf } from '../workflow/read-history.ts';
import { ACCEPTED, AUTHORIZED, DECLINED, FOLLOWED, reserved, REVIEW, stopping, VALIDATE, WINDOW } from '../workflow/refund-samples.ts';
import type { Script } from '../workflow/scripted-activities.ts';
import type { Stage, TestAftermath, TestRefund } from '../workflow/stage.ts';
import { QUICK, reach, refundOutcome, waitsInTimer } from './record-scene.ts';
import type { RecordedOutcome } from './record-scene.ts';

const SHORT_WINDOW = { ...WINDOW, windowMs: 300 };

/** Refunds that stop before the send. */
function stops(...checkpoints: readonly Checkpoint[]): (script: Script) => void {
  return (script) => script.on('reserveRefund', stopping(...checkpoints)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
}

/** Lets somebody act as soon as the refund has stopped, and the refund come to its end. */
function once(act: (refund: TestRefund) => Promise<unknown>): (refund: TestRefund) => Promise<void> {
  return async (refund) => {
    await waitsInTimer(refund);
    await act(refund);
    await refund.wait();
  };
}

const AT_CHECKPOINTS: readonly RecordedOutcome[] = [
  refundOutcome('refund-confirmed-and-refunded', stops(VALIDATE), once((refund) => refund.confirm())),
  refundOutcome('refund-contested', stops(VALIDATE), once((refund) => refund.contest())),
  refundOutcome('refund-approved-and-refunded', stops(REVIEW), once((refund) => refund.approve())),
  refundOutcome('refund-rejected-in-review', stops(REVIEW), once((refund) => refund.reject())),
  refundOutcome('refund-expired-in-review', stops({ ...REVIEW, expiresAfterMs: 500 })),
  refundOutcome('refund-cancelled-in-review', stops(REVIEW), once((refund) => refund.cancel())),
  refundOutcome('refund-refunded-after-its-window', stops(SHORT_WINDOW)),
  refundOutcome('refund-cancelled-in-its-window', stops(WINDOW), once((refund) => refund.cancel())),
  refundOutcome('refund-refunded-after-all-checkpoints', stops(VALIDATE, REVIEW, SHORT_WINDOW), async (refund) => {
    await waitsInTimer(refund);
    await refund.confirm();
    await reach(refund, (events) => countOf(events, 'timerStarted') === 2);
    await refund.approve();
    await refund.wait();
  }),
];

/** Tells the refund twice that something happened at its provider. */
async function twiceTold(refund: TestRefund): Promise<void> {
  await waitsInTimer(refund);
  await refund.tell('evt_1');
  await reach(refund, (events) => countOf(events, 'timerStarted') === 2);
  await refund.tell('evt_2');
  await refund.wait();
}

const ASYNCHRONOUS: readonly RecordedOutcome[] = [
  refundOutcome('refund-authorized-and-refunded', (script) => {
    script.on('reserveRefund', reserved()).on('submitRefund', AUTHORIZED).on('followRefund', FOLLOWED.approved, FOLLOWED.refunded);
  }, twiceTold),
  refundOutcome('refund-authorized-and-rejected', (script) => {
    script.on('reserveRefund', reserved()).on('submitRefund', AUTHORIZED).on('followRefund', { kind: 'not_shown' }, FOLLOWED.rejected);
  }, twiceTold),
  refundOutcome('refund-authorized-and-partial', (script) => {
    script.on('reserveRefund', reserved([true, true])).on('submitRefund', { ...AUTHORIZED, refundStatus: 'in_process', statusDetail: 'sent' }, { ...DECLINED, refundStatus: 'authorized', legStatus: 'refused' });
    script.on('followRefund', { ...FOLLOWED.authorized }, { ...FOLLOWED.refunded, statusDetail: 'partial' });
  }, twiceTold),
];

/** One send whose answer is lost: a human must decide. */
function lost(script: Script): Script {
  return script.on('reserveRefund', reserved([true], { ...QUICK, maxSends: 1 })).on('submitRefund', { kind: 'unknown' }, ACCEPTED).on('findRefund', { kind: 'absent' });
}

function decided(act: (refund: TestRefund) => Promise<unknown>): (refund: TestRefund) => Promise<void> {
  return async (refund) => {
    await eventually(async () => {
      if (!(await detailsOf(refund)).includes('Waits for: a decision on its case')) throw new Error(`${refund.workflowId} does not wait for a decision yet`);
    });
    await act(refund);
    await refund.wait();
  };
}

const DECIDED: readonly RecordedOutcome[] = [
  refundOutcome('refund-resolved-as-succeeded', (script) => lost(script).on('resolveLeg', { ...FOLLOWED.refunded, kind: 'settled' }),
    decided((refund) => refund.resolve({ actor: 'op_1', reason: 'seen on the statement', outcome: 'succeeded', providerRefundId: 're_1' }))),
  refundOutcome('refund-resolved-as-failed', (script) => lost(script).on('resolveLeg', { ...FOLLOWED.rejected, kind: 'settled', statusDetail: 'resolved_as_failed' }),
    decided((refund) => refund.resolve({ actor: 'op_1', reason: 'not on the statement', outcome: 'failed' }))),
  refundOutcome('refund-retried-and-refunded', lost, decided((refund) => refund.retry({ actor: 'op_1', reason: 'the provider is back' }))),
];

/** Another refund holds the gate and its Workflow is gone: the last word of its records, and what comes of it. */
function behindGone(name: string, wasSent: boolean): RecordedOutcome {
  const gone = { workflowId: `refund:mer_1:${name}-gone`, refundId: `${name}-gone`, legId: 'leg_held' };
  const request = { merchantId: 'mer_1', refundId: gone.refundId, orderId: 'ord_1', idempotencyKey: 'gone', fingerprint: 'gone', requestedBy: 'key_1' };
  return refundOutcome(name, (script) => {
    script.on('reserveRefund', ({ refundId }) => (refundId === gone.refundId ? { ...reserved(), alreadySent: true } : reserved([false])));
    script.on('submitRefund', ({ refundId }) => (refundId === gone.refundId ? { ...ACCEPTED, nextTurn: { workflowId: script.calls('takeTurn')[0]?.workflowId ?? '', legId: 'leg_1' } } : ACCEPTED));
    script.on('takeTurn', () => {
      const isFree = script.calls('loseTurn').length + script.calls('submitRefund').length > 0;
      return isFree ? { hasTurn: true } : { hasTurn: false, holder: { ...gone, wasSent, request } };
    });
    script.on('loseTurn', ({ workflowId }) => ({ nextTurn: { workflowId, legId: 'leg_1' } }));
  }, once(async () => undefined));
}

const BEHIND_ANOTHER: readonly RecordedOutcome[] = [
  behindGone('refund-refunded-behind-one-that-was-never-sent', false), behindGone('refund-refunded-behind-one-that-was-begun-again', true),
  refundOutcome('refund-refunded-while-another-waits', (script) => {
    script.on('reserveRefund', reserved([true], { ...QUICK, settleDelayMs: 1000 })).on('submitRefund', { kind: 'unknown' }).on('findRefund', { ...ACCEPTED, kind: 'found' });
  }, once((refund) => refund.handle.signal(turnAwaitedSignal))),
];

/** All ways of a refund that stops before its send, is followed after it, is decided by a human, or meets one that is gone. */
export const REFUNDS_OF_ALL_WAYS: readonly RecordedOutcome[] = [...AT_CHECKPOINTS, ...ASYNCHRONOUS, ...DECIDED, ...BEHIND_ANOTHER];

function aftermathOutcome(name: string, failedLate: boolean, act: (aftermath: TestAftermath) => Promise<void>): RecordedOutcome {
  return {
    name,
    play: async (stage: Stage, script) => {
      script.on('reviewRefund', { failedLate });
      const aftermath = stage.refund({ idempotencyKey: name }).aftermath();
      await aftermath.doubt('evt_1');
      await act(aftermath);
      await aftermath.wait();
      return aftermath;
    },
  };
}

/** What may come after the end of a refund (R9). */
export const REFUND_AFTERMATHS: readonly RecordedOutcome[] = [
  aftermathOutcome('aftermath-nothing-failed', false, async () => undefined),
  aftermathOutcome('aftermath-failed-late', true, async (aftermath) => {
    await reach(aftermath, (events) => countOf(events, 'upsertWorkflowSearchAttributes') === 2);
    await aftermath.acknowledge();
  }),
];
