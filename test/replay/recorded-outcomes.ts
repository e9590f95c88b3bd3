import type { SendOutcome } from '../../activities/contracts.ts';
import { turnSignal } from '../../workflows/messages.ts';
import { eventually } from '../workflow/eventually.ts';
import { fakePayoutProvider } from '../workflow/fake-payout-provider.ts';
import { countOf } from '../workflow/read-history.ts';
import { ACCEPTED, DECLINED, FOUND, PROTOCOL, reserved } from '../workflow/refund-samples.ts';
import type { Script } from '../workflow/scripted-activities.ts';
import type { Stage, TestPayoutOrder, TestRefund } from '../workflow/stage.ts';

/** One outcome whose history is kept: what the Activities answer, and how the process is brought to its end. */
export interface RecordedOutcome {
  /** Name of the history's file. */
  readonly name: string;
  /** Acts until the outcome is reached, and hands over the process whose history is kept. */
  play(stage: Stage, script: Script): Promise<TestRefund | TestPayoutOrder>;
}

/** Real time passes while histories are recorded: what takes a minute in life takes a moment here. */
const QUICK = { ...PROTOCOL, settleDelayMs: 200 };
const SENT: SendOutcome = { ...ACCEPTED, refundStatus: 'in_process', statusDetail: 'sent' };

function refundOutcome(name: string, prepare: (script: Script) => void, act?: (refund: TestRefund) => Promise<void>): RecordedOutcome {
  return {
    name,
    play: async (stage, script) => {
      prepare(script);
      const refund = stage.refund({ idempotencyKey: name });
      const begun = refund.begin({ shownMoney: { amountMinor: 5000, currency: 'MXN' } });
      if (act !== undefined) await act(refund);
      await begun;
      if (act === undefined) await refund.wait();
      return refund;
    },
  };
}

async function waitsInTimer(refund: TestRefund): Promise<void> {
  await reach(refund, (events) => countOf(events, 'timerStarted') === 1);
}

/** Waits until a process has such a history. */
async function reach(subject: TestRefund | TestPayoutOrder, reached: (events: Awaited<ReturnType<TestRefund['events']>>) => boolean): Promise<void> {
  await eventually(async () => {
    if (!reached(await subject.events())) throw new Error(`${subject.workflowId} is not there yet`);
  });
}

async function needsAttention(subject: TestRefund | TestPayoutOrder): Promise<void> {
  await eventually(async () => {
    if (!(await subject.view()).needsAttention) throw new Error(`${subject.workflowId} needs no attention yet`);
  });
}

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

function payoutOutcome(name: string, prepare: (script: Script) => void, act: (payout: TestPayoutOrder, provider: ReturnType<typeof fakePayoutProvider>) => Promise<void>, lifeMs = 3_600_000): RecordedOutcome {
  return {
    name,
    play: async (stage, script) => {
      const provider = fakePayoutProvider(script, { confirmationWindowMs: 500, settleDelayMs: 200, maxSends: 1 });
      prepare(script);
      const payout = await stage.payoutOrder({ idempotencyKey: name, expiresAt: new Date(Date.now() + lifeMs) });
      await payout.begin();
      await act(payout, provider);
      return payout;
    },
  };
}

const asScripted = (): void => undefined;

const PAYOUT_ORDERS: readonly RecordedOutcome[] = [
  payoutOutcome('payout-cancelled', asScripted, async (payout) => {
    await payout.cancel();
    await payout.wait();
  }),
  payoutOutcome('payout-expired', asScripted, async (payout) => void (await payout.wait()), 1500),
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
export const RECORDED_OUTCOMES = { refundWorkflow: REFUNDS, payoutOrderWorkflow: PAYOUT_ORDERS } as const;
