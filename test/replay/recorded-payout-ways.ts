import { eventually } from '../workflow/eventually.ts';
import { fakePayoutProvider } from '../workflow/fake-payout-provider.ts';
import { countOf, scheduledActivities } from '../workflow/read-history.ts';
import type { TestPayoutOrder } from '../workflow/stage.ts';
import { needsAttention, payoutOutcome, reach, waitsInTimer } from './record-scene.ts';
import type { RecordedOutcome } from './record-scene.ts';

/** From so many events on the server suggests a new run; in life from 4,096. */
const LONG_EVENTS = 40;
const HOUR_MS = 3_600_000;

const asScripted = (): void => undefined;

/** Waits until the provider was asked so many times, and the answers were taken in. */
function asked(payout: TestPayoutOrder, times: number, activity = 'followPayoutOrder'): Promise<void> {
  return reach(payout, (events) => scheduledActivities(events).filter((name) => name === activity).length === times && countOf(events, 'activityTaskScheduled') === countOf(events, 'activityTaskCompleted'));
}

const TOLD: readonly RecordedOutcome[] = [
  payoutOutcome('payout-withdrawn-as-its-rail-reported', asScripted, async (payout, provider) => {
    provider.status = 'pending_confirmation';
    await payout.report('withdrawal');
    provider.status = 'withdrawn';
    await payout.report('confirmation');
    await payout.wait();
  }, { confirmationWindowMs: HOUR_MS }),
  payoutOutcome('payout-withdrawn-after-its-fact-was-looked-for-again', asScripted, async (payout, provider) => {
    await payout.tell('withdrawal');
    await asked(payout, 1);
    provider.status = 'pending_confirmation';
    await payout.wait();
  }),
  payoutOutcome('payout-found-when-told-while-issuing', (script) => script.on('issueReference', { kind: 'unknown' }), async (payout, provider) => {
    await waitsInTimer(payout);
    provider.status = 'pending_confirmation';
    await payout.tell('withdrawal');
    await payout.wait();
  }, { settleDelayMs: HOUR_MS }),
  payoutOutcome('payout-found-after-it-was-given-up', (script) => script.on('issueReference', { kind: 'unknown' }), async (payout, provider) => {
    await needsAttention(payout);
    await payout.report('changed');
    provider.status = 'pending';
    await payout.report('changed');
    await payout.cancel();
    await payout.wait();
  }),
];

const RETRIED: readonly RecordedOutcome[] = [
  payoutOutcome('payout-withdrawn-after-a-retry', asScripted, async (payout, provider) => {
    await payout.retry();
    provider.status = 'pending_confirmation';
    await payout.retry();
    await payout.wait();
  }),
  payoutOutcome('payout-issued-after-a-retry', (script, provider) => {
    script.on('issueReference', { kind: 'not_sent', retryAfterMs: HOUR_MS }, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
  }, async (payout) => {
    await payout.retry();
    await asked(payout, 2, 'issueReference');
    await payout.cancel();
    await payout.wait();
  }),
  payoutOutcome('payout-cancelled-after-a-retry', (script, provider) => {
    script.on('voidReference', { kind: 'not_sent', retryAfterMs: HOUR_MS }, () => ({ kind: 'settled', status: (provider.status = 'cancelled') }));
  }, async (payout) => {
    await payout.cancel();
    await payout.retry();
    await payout.wait();
  }),
];

const PLAN = { provider: 'conekta', confirmationWindowMs: 180_000, protocol: { idempotency: 'reference', settleDelayMs: 200, maxSends: 1 } } as const;

/** Lets a history grow long, one question to the provider after the other, and hands over the run that then hands over to the next one. */
const BEGUN_ANEW: RecordedOutcome = {
  name: 'payout-begun-anew',
  longEvents: LONG_EVENTS,
  play: async (stage, script) => {
    fakePayoutProvider(script);
    const standing = { status: 'pending', needsAttention: false, withdrawalBegunAt: null } as const;
    script.on('registerPayoutOrder', ({ fingerprint }) => ({ ...PLAN, fingerprint }), ({ fingerprint }) => ({ ...PLAN, fingerprint, standing }));
    const payout = await stage.payoutOrder({ idempotencyKey: 'payout-begun-anew' });
    await payout.begin();
    const { runId } = await payout.handle.describe();
    while ((await payout.handle.describe()).runId === runId) {
      const before = script.calls('followPayoutOrder').length;
      await payout.tell('changed');
      await eventually(() => { if (script.calls('followPayoutOrder').length === before) throw new Error('not asked yet'); });
    }
    const first = stage.env.client.workflow.getHandle(payout.workflowId, runId);
    return { workflowId: payout.workflowId, events: async () => (await first.fetchHistory()).events ?? [] };
  },
};

const LONG_LIVES: readonly RecordedOutcome[] = [
  payoutOutcome('payout-withdrawn-as-a-look-of-its-own-found', asScripted, async (payout, provider) => {
    await asked(payout, 2);
    provider.status = 'pending_confirmation';
    await payout.wait();
  }, { pollMs: 1000 }),
  payoutOutcome('payout-begun-again-in-its-window', asScripted, async (payout) => void (await payout.wait()), {
    confirmationWindowMs: 62_000, standing: { status: 'pending_confirmation', needsAttention: true, withdrawalBegunAt: new Date(Date.now() - 60_000).toISOString() },
  }),
  BEGUN_ANEW,
];

/** Payout orders that are told of things, tried again, or live long. */
export const PAYOUT_ORDERS_OF_ALL_WAYS: readonly RecordedOutcome[] = [...TOLD, ...RETRIED, ...LONG_LIVES];
