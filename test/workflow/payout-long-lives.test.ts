import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PayoutOrderPlan } from '../../activities/payout-contracts.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import type { PayoutRules } from './fake-payout-provider.ts';
import { bundleOf } from './fixtures/builds.ts';
import { onRollout, patchesIn } from './fixtures/rollout.ts';
import { detailsOf } from './read-details.ts';
import { countOf, secondsOfTimers, timerDueMs } from './read-history.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import type { Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestPayoutOrder } from './stage.ts';

/** From so many events on the server of this test suggests a new run; in life from 4,096. */
const LONG_EVENTS = 40;
/** `WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND` (`temporal.api.enums.v1.WorkflowTaskFailedCause`). */
const UNHANDLED_COMMAND = 1;
/** The patch that begins a long history anew. */
const ANEW_PATCH = 'payout-order-begins-anew';

let real: Environment;

beforeAll(async () => {
  real = await realServer('test', { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': LONG_EVENTS } });
  await Promise.all([bundleOf('before'), bundleOf('now')]);
});
afterAll(() => real.close());

/** A provider, and records that know from the second registration on where the payout order stands, as the real ones do. */
function recordedProvider(script: Script, rules: PayoutRules = {}) {
  const provider = fakePayoutProvider(script, rules);
  const plan: Omit<PayoutOrderPlan, 'fingerprint'> = {
    provider: 'conekta', confirmationWindowMs: rules.confirmationWindowMs ?? 180_000, protocol: { idempotency: 'reference', settleDelayMs: 60_000, maxSends: 3 },
    ...(rules.pollMs === undefined ? {} : { pollMs: rules.pollMs }),
  };
  const books = { withdrawalBegunAt: null as string | null, needsAttention: false };
  script.on('registerPayoutOrder', ({ fingerprint }) => ({ ...plan, fingerprint }), ({ fingerprint }) => ({ ...plan, fingerprint, standing: { status: provider.status, ...books } }));
  return { provider, books };
}

/** Tells facts, one after the other, each of which is answered by a question to the provider, until another run has taken over. */
async function tellUntilNextRun(payout: TestPayoutOrder, script: Script): Promise<void> {
  const run = await currentRun(payout);
  for (let told = 0; told < LONG_EVENTS && (await currentRun(payout)) === run; told += 1) await tellAndSeeAsked(payout, script);
  await eventually(async () => expect(await currentRun(payout)).not.toBe(run));
}

async function tellAndSeeAsked(payout: TestPayoutOrder, script: Script): Promise<void> {
  const asked = script.calls('followPayoutOrder').length;
  await payout.tell('changed');
  await eventually(() => expect(script.calls('followPayoutOrder').length).toBeGreaterThan(asked));
}

/** A payout order whose history has become long while the provider is asked: what comes now meets the end of the look and the new run at once. */
async function inALongLook(payout: TestPayoutOrder, script: Script, [first, ...later]: readonly [PayoutOrderStatus, ...PayoutOrderStatus[]] = ['pending']) {
  const looking = latch();
  script.on('followPayoutOrder', async () => {
    await looking.opened;
    return { kind: 'settled', status: first };
  }, ...later.map((status) => ({ kind: 'settled', status }) as const));
  await payout.begin();
  await payout.tell('changed');
  await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(1));
  while ((await payout.events()).length <= LONG_EVENTS) await payout.tell('changed');
  return { payout, endLook: () => looking.open() };
}

/** What people see of it in lists and on its page; its summary stays with the first run, since the SDK has no way to hand it on. */
async function shownOf(payout: TestPayoutOrder) {
  const description = await payout.handle.describe();
  const attributes = description.typedSearchAttributes.getAll().filter(({ key }) => key.name.startsWith('Reintegro')).map(({ key, value }) => [key.name, value]);
  return { memo: description.memo, attributes: Object.fromEntries(attributes) as unknown, details: await detailsOf(payout) };
}

async function currentRun(payout: TestPayoutOrder): Promise<string> {
  return (await payout.handle.describe()).runId;
}

describe.concurrent('payoutOrderWorkflow, a long history', () => {
  it('should go on in a new run that stands where the records stand, shows the same and can be cancelled (P8, P4)', async () => {
    const script = scriptActivities();
    recordedProvider(script);
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const [first, shown] = [await currentRun(payout), await shownOf(payout)];
      await tellUntilNextRun(payout, script);
      expect(await payout.view()).toMatchObject({ payoutOrderId: payout.id, status: 'pending', needsAttention: false });
      await eventually(async () => expect(await shownOf(payout)).toEqual(shown));
      expect(shown).toMatchObject({ details: expect.stringContaining('Payout order of $500.00 MXN') as unknown, attributes: { ReintegroStatus: 'pending', ReintegroMerchant: 'mer_1', ReintegroAmount: 50_000 } });
      const runs = script.calls('registerPayoutOrder').map(({ runId }) => runId);
      expect(runs).toEqual([first, await currentRun(payout)]);
      expect(script.calls('issueReference')).toHaveLength(1);

      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('voidReference')).toHaveLength(1);
    });
  });

  it('should expire in the new run when the old one would have (P8, P2)', async () => {
    const script = scriptActivities();
    recordedProvider(script);
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await tellUntilNextRun(payout, script);
      const [seconds] = await eventually(async () => {
        const timers = secondsOfTimers(await payout.events());
        expect(timers).toHaveLength(1);
        return timers;
      });
      expect(Math.abs(timerDueMs(await payout.events(), seconds ?? 0) - payout.expiresAtMs)).toBeLessThan(2000);
    });
  });

  it('should not begin the confirmation window again in the new run (P8, P2)', async () => {
    const script = scriptActivities();
    const { provider, books } = recordedProvider(script, { confirmationWindowMs: 1_000_000 });
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      // Of the window of 1000 seconds 400 are left.
      const begunAtMs = Date.now() - 600_000;
      books.withdrawalBegunAt = new Date(begunAtMs).toISOString();
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(secondsOfTimers(await payout.events())).toContain(1000);
      await tellUntilNextRun(payout, script);
      await eventually(async () => expect(secondsOfTimers(await payout.events())).toHaveLength(2));
      const seconds = secondsOfTimers(await payout.events())[1] ?? 0;
      expect(Math.abs(timerDueMs(await payout.events(), seconds) - begunAtMs - 1_000_000)).toBeLessThan(2000);
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).not.toContain('window_ended');
    });
  });

  it('should lose no fact that is told while one run takes over from the other (P8, P6)', async () => {
    const script = scriptActivities();
    recordedProvider(script, { confirmationWindowMs: 200 });
    await onStage(real.env, script, async (stage) => {
      const { payout, endLook } = await inALongLook(await stage.payoutOrder(), script, ['pending', 'pending_confirmation', 'withdrawn']);
      await payout.tell('changed');
      endLook();
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'fact', 'window_ended']);
      expect(script.calls('registerPayoutOrder')).toHaveLength(2);
    });
  });

  it.each([
    { who: 'a rail that reports', ask: (payout: TestPayoutOrder) => payout.report('changed'), voids: true, answer: { status: 'pending' }, runs: 2 },
    { who: 'an operator', ask: (payout: TestPayoutOrder) => payout.retry(), voids: true, answer: { status: 'pending' }, runs: 2 },
    { who: 'who calls it off', ask: (payout: TestPayoutOrder) => payout.cancel(), voids: true, answer: { status: 'cancelled' }, runs: 1 },
    { who: 'who cannot call it off', ask: (payout: TestPayoutOrder) => payout.cancel(), voids: false, answer: { name: 'NotCancellableError', view: { status: 'pending' } }, runs: 2 },
  ])('should not begin anew before $who has an answer (P8, P4, P6)', async ({ ask, voids, answer, runs }) => {
    const script = scriptActivities();
    recordedProvider(script).provider.voids = voids;
    await onStage(real.env, script, async (stage) => {
      const { payout, endLook } = await inALongLook(await stage.payoutOrder(), script);
      const asked = ask(payout).catch((error: unknown) => error);
      // The first is that of the creation.
      await eventually(async () => expect(countOf(await payout.events(), 'workflowExecutionUpdateAccepted')).toBe(2));
      endLook();
      expect(await asked).toMatchObject(answer);
      if (runs > 1) await payout.tell('changed');
      await eventually(() => expect(script.calls('registerPayoutOrder')).toHaveLength(runs));
    });
  });

  it('should not forget one who calls it off and does not wait (P8, P4)', async () => {
    const script = scriptActivities();
    recordedProvider(script);
    await onStage(real.env, script, async (stage) => {
      const { payout, endLook } = await inALongLook(await stage.payoutOrder(), script);
      await payout.signalCancel();
      endLook();
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('registerPayoutOrder')).toHaveLength(1);
    });
  });

  it('should look again for what a fact said, also when the history becomes too long meanwhile (P8, P6)', async () => {
    const script = scriptActivities();
    const { provider } = recordedProvider(script, { confirmationWindowMs: 200 });
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('withdrawal');
      for (let told = 0; told < 6; told += 1) await tellAndSeeAsked(payout, script);
      provider.status = 'pending_confirmation';
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'withdrawn' }));
    });
  });

  it('should begin anew when all that it hears waits for an answer (P8, P6)', async () => {
    const script = scriptActivities();
    recordedProvider(script);
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      for (let told = 0; told < LONG_EVENTS / 5; told += 1) expect(await payout.report('changed')).toMatchObject({ status: 'pending' });
      await eventually(() => expect(script.calls('registerPayoutOrder').length).toBeGreaterThan(1));
    });
  });

  it('should begin one anew that was long before that was thought of (P8, I8)', async () => {
    await onRollout(real.env, ['now'], async ({ stage, scriptFor, makeCurrent }) => {
      const payout = await stage.payoutOrder();
      const script = scriptFor(payout);
      recordedProvider(script);
      await payout.begin();
      const first = await currentRun(payout);
      while ((await payout.events()).length <= 2 * LONG_EVENTS) await payout.report('changed');
      expect([await currentRun(payout), script.calls('registerPayoutOrder').length]).toEqual([first, 1]);
      await makeCurrent('now');
      await tellUntilNextRun(payout, script);
      const old = (await stage.env.client.workflow.getHandle(payout.workflowId, first).fetchHistory()).events ?? [];
      expect([patchesIn(old), countOf(old, 'workflowExecutionContinuedAsNew')]).toEqual([[ANEW_PATCH], 1]);
      // A fact that comes just then has the server refuse the new run, and the task is done again with the fact.
      expect(old.flatMap((event) => event.workflowTaskFailedEventAttributes?.cause ?? []).filter((cause) => cause !== UNHANDLED_COMMAND)).toEqual([]);
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
    });
  });

  it('should go on in new runs while it looks by itself (P8)', async () => {
    const script = scriptActivities();
    const { provider } = recordedProvider(script, { confirmationWindowMs: 200, pollMs: 50 });
    await onStage(real.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await eventually(() => expect(script.calls('registerPayoutOrder').length).toBeGreaterThan(2));
      provider.status = 'pending_confirmation';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
    });
  });
});
