import { turnSignal } from '../../workflows/messages.ts';
import { countOf } from '../workflow/read-history.ts';
import { ACCEPTED, DECLINED, FOUND, reserved } from '../workflow/refund-samples.ts';
import { needsAttention, payoutOutcome, QUICK, reach, refundOutcome, SENT, waitsInTimer } from './record-scene.ts';
import type { RecordedOutcome } from './record-scene.ts';
import { PAYOUT_ORDERS_OF_ALL_WAYS } from './recorded-payout-ways.ts';
import { REFUND_AFTERMATHS, REFUNDS_OF_ALL_WAYS } from './recorded-refund-ways.ts';

const REFUNDS: readonly RecordedOutcome[] = [
  refundOutcome('refund-refunded', (script) => script.on('reserveRefund', reserved()).on('submitRefund', ACCEPTED)),
  refundOutcome('refund-partial', (script) => {
    script.on('reserveRefund', reserved([true, true]));
    script.on('submitRefund', SENT, { ...DECLINED, refundStatus: 'refunded', statusDetail: 'partial' });
  }),
  refundOutcome('refund-rejected-by-provider', (script) => script.on('reserveRefund', reserved()).on('submitRefund', DECLINED)),
  refundOutcome('refund-request-refused', (script) => script.on('reserveRefund', { kind: 'refused', refusal: 'order_not_returnable' })),
  refundOutcome('refund-concluded-before', (script) => script.on('reserveRefund', ({ fingerprint }) => ({ kind: 'concluded', status: 'refunded', statusDetail: 'complete', fingerprint }))),
  refundOutcome('refund-refunded-once-its-order-is-shown', (script) => {
    script.on('reserveRefund', { kind: 'not_yet', retryAfterMs: null }, reserved()).on('submitRefund', ACCEPTED);
  }),
  refundOutcome('refund-cancelled-before-its-order-is-shown', (script) => script.on('reserveRefund', { kind: 'not_yet', retryAfterMs: 3_600_000 }), async (refund) => {
    await waitsInTimer(refund);
    await refund.cancel();
    await refund.wait();
  }),
  refundOutcome('refund-sent-before-a-reset', (script) => script.on('reserveRefund', { ...reserved(), alreadySent: true }).on('submitRefund', ACCEPTED)),
  refundOutcome('refund-cancelled-while-waiting', (script) => script.on('reserveRefund', reserved([false])), async (refund) => {
    await waitsInTimer(refund);
    await refund.cancel();
    await refund.wait();
  }),
  refundOutcome('refund-cancelled-by-signal', (script) => script.on('reserveRefund', reserved([false])), async (refund) => {
    await waitsInTimer(refund);
    await refund.signalCancel();
    await refund.wait();
  }),
  refundOutcome('refund-refunded-after-its-turn', (script) => {
    script.on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
  }, async (refund) => {
    await waitsInTimer(refund);
    await refund.handle.signal(turnSignal, { legId: 'leg_1' });
    await refund.wait();
  }),
  refundOutcome('refund-verified-after-lost-answer', (script) => {
    script.on('reserveRefund', reserved([true], QUICK)).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
  }),
  refundOutcome('refund-sent-again', (script) => {
    script.on('reserveRefund', reserved([true], QUICK)).on('findRefund', { kind: 'absent' });
    script.on('submitRefund', { kind: 'not_sent', retryAfterMs: null }, { kind: 'unknown' }, ACCEPTED);
  }),
  refundOutcome('refund-case-opened', (script) => {
    script.on('reserveRefund', reserved([true], { ...QUICK, maxSends: 1 })).on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' });
  }, needsAttention),
];

const asScripted = (): void => undefined;

const PAYOUT_ORDERS: readonly RecordedOutcome[] = [
  payoutOutcome('payout-cancelled', asScripted, async (payout) => {
    await payout.cancel();
    await payout.wait();
  }),
  payoutOutcome('payout-expired', asScripted, async (payout) => void (await payout.wait()), { lifeMs: 1500 }),
  payoutOutcome('payout-withdrawn', asScripted, async (payout, provider) => {
    provider.status = 'pending_confirmation';
    await payout.tell('withdrawal');
    await payout.wait();
  }),
  payoutOutcome('payout-reversed', asScripted, async (payout, provider) => {
    provider.status = 'pending_confirmation';
    await payout.tell('withdrawal');
    await reach(payout, (events) => countOf(events, 'timerStarted') === 2);
    provider.status = 'reversed';
    await payout.tell('reversal');
    await payout.wait();
  }),
  payoutOutcome('payout-never-issued', (script) => script.on('issueReference', { kind: 'declined', status: 'open' }), async (payout) => void (await payout.wait())),
  payoutOutcome('payout-cancelled-after-lost-answer', (script) => {
    script.on('voidReference', { kind: 'unknown' }).on('followPayoutOrder', { kind: 'settled', status: 'cancelled' });
  }, async (payout) => {
    await payout.signalCancel();
    await payout.wait();
  }),
  payoutOutcome('payout-case-opened', (script) => script.on('issueReference', { kind: 'unknown' }).on('findReference', { kind: 'absent' }), needsAttention),
];

/** All outcomes of which a history is kept, by Workflow Type. */
export const RECORDED_OUTCOMES = {
  refundWorkflow: [...REFUNDS, ...REFUNDS_OF_ALL_WAYS], payoutOrderWorkflow: [...PAYOUT_ORDERS, ...PAYOUT_ORDERS_OF_ALL_WAYS], refundAftermathWorkflow: REFUND_AFTERMATHS,
} as const;
