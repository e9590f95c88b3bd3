import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { payoutOrderWorkflowId } from '../../workflows/ids.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { bundleOf } from './fixtures/builds.ts';
import { buildsOf, onRollout, patchesIn } from './fixtures/rollout.ts';
import type { Rollout } from './fixtures/rollout.ts';
import { onProductWorkers } from './fixtures/product-workers.ts';
import { WAITING } from './fixtures/waiting.ts';
import { countOf, typeOf } from './read-history.ts';
import type { TestPayoutOrder } from './stage.ts';

/** `WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR` (`temporal.api.enums.v1.WorkflowTaskFailedCause`). */
const NON_DETERMINISTIC_ERROR = 24;
/** What a fact leaves behind that is looked for again. */
const CLAIM_PATCH = 'payout-order-looks-for-claims-again';
/** How long timers run at first that are waited for: on a quick machine, longer than all waits take to begin and the switch. */
const FIRST_TIMERS_MS = 20_000;
/** Enough for a machine that is busy with other things. */
const SLOW_MS = 300_000;
const ORDER = {
  amountMinor: 50_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Payout order', requestedBy: 'key_1',
  idempotencyKey: 'two-builds', expiresAt: new Date(Date.now() + 3_600_000),
} as const;
let server: Environment;

beforeAll(async () => {
  server = await realServer();
  await Promise.all([bundleOf('before'), bundleOf('careless'), bundleOf('now')]);
});
afterAll(() => server.close());

/** A payout order to which a withdrawal was told so many times that the provider did not show, and that waits again. */
async function withUnseenFacts({ stage, scriptFor }: Rollout, times: number) {
  const payout = await stage.payoutOrder();
  const provider = fakePayoutProvider(scriptFor(payout), { confirmationWindowMs: 200 });
  await payout.begin();
  for (let told = 1; told <= times; told += 1) {
    await payout.tell('withdrawal');
    await eventually(async () => expect(await looksOf(payout)).toBeGreaterThanOrEqual(told));
  }
  return { payout, provider };
}

/** How many looks at the provider are done and taken in. */
async function looksOf(payout: TestPayoutOrder): Promise<number> {
  const events = await payout.events();
  expect(typeOf(events.at(-1) ?? {})).not.toMatch(/workflowTaskScheduled|workflowTaskStarted/);
  return countOf(events, 'activityTaskCompleted') - 1;
}

/**
 * Brings a Workflow into every wait, makes the new build current, and sees each come to its end. Answers whether the machine was quick
 * enough: otherwise a timer may have been over before the switch, which shows nothing.
 */
async function rollOver(rollout: Rollout, timersMs: number): Promise<boolean> {
  const beganAt = performance.now();
  const waiting = await Promise.all(Object.entries(WAITING).map(async ([name, begin]) => ({ name, ...(await begin(rollout, timersMs)) })));
  await rollout.makeCurrent('now');
  const executedBefore = rollout.executed.length;
  const switched = await Promise.all(waiting.map(async (wait) => ({ ...wait, atSwitch: await wait.process.events() })));
  if (performance.now() - beganAt > timersMs - 1000) return false;

  const ends = await Promise.all(switched.map(async (wait) => {
    await wait.finish();
    return { ...wait, status: (await wait.process.wait()).status, events: await wait.process.events() };
  }));
  expect(Object.fromEntries(ends.map(({ name, status }) => [name, status]))).toEqual(Object.fromEntries(waiting.map(({ name, endsAs }) => [name, endsAs])));
  for (const { name, atSwitch, events } of ends) {
    expect(new Set(buildsOf(atSwitch)), `${name} at the switch`).toEqual(new Set(['before']));
    expect(new Set(buildsOf(events.slice(atSwitch.length))), `${name} after the switch`).toEqual(new Set(['now']));
    expect(countOf(events, 'workflowTaskFailed'), name).toBe(0);
  }
  expect(new Set(rollout.executed.slice(executedBefore).map(({ build }) => build))).toEqual(new Set(['now']));
  return true;
}

describe.concurrent('a new build beside the old one', () => {
  it('should bring everything that waits to its right end, begin what is new, and never give a Workflow back to the old build (I8)', async () => {
    let isShown = false;
    for (let timersMs = FIRST_TIMERS_MS; !isShown; timersMs *= 3) {
      await onRollout(server.env, ['now'], async (rollout) => {
        isShown = await rollOver(rollout, timersMs);
        const begunLater = await rollout.stage.payoutOrder();
        fakePayoutProvider(rollout.scriptFor(begunLater));
        await begunLater.begin();
        expect(await begunLater.cancel()).toMatchObject({ status: 'cancelled' });
        expect(new Set(buildsOf(await begunLater.events()))).toEqual(new Set(['now']));
      });
    }
  }, SLOW_MS);

  it('should take over what waits as soon as its version is current, and not before, with the Workers of the product (P8)', async () => {
    await onProductWorkers(server.env, ['before', 'now'], async ({ client, merchantId, provider, makeCurrent }) => {
      await makeCurrent('before');
      const { payoutOrderId } = await client.createPayoutOrder({ ...ORDER, merchantId });
      const handle = server.env.client.workflow.getHandle(payoutOrderWorkflowId(merchantId, payoutOrderId));
      expect(await client.getPayoutOrder(merchantId, payoutOrderId)).toMatchObject({ status: 'pending' });
      const before = (await handle.fetchHistory()).events ?? [];
      await makeCurrent('now');
      expect(await client.cancelPayoutOrder(merchantId, payoutOrderId, 'key_1')).toMatchObject({ status: 'cancelled' });
      await client.waitForPayoutOrder(merchantId, payoutOrderId);
      const after = ((await handle.fetchHistory()).events ?? []).slice(before.length);
      expect([before, after].map((events) => [...new Set(buildsOf(events))])).toEqual([['before'], ['now']]);
      expect(provider.calls).toMatchObject({ createPayoutOrder: 1, cancelPayoutOrder: 1 });
    });
  }, SLOW_MS);
});

describe.concurrent('a payout order that meets a patch', () => {
  it('should carry the marker, look for the fact again by itself, and go on (I8, P6)', async () => {
    await onRollout(server.env, ['now'], async (rollout) => {
      await rollout.makeCurrent('now');
      const { payout, provider } = await withUnseenFacts(rollout, 1);
      expect(patchesIn(await payout.events())).toEqual([CLAIM_PATCH]);
      provider.status = 'pending_confirmation';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      const events = await payout.events();
      expect(patchesIn(events)).toEqual([CLAIM_PATCH]);
      expect(countOf(events, 'workflowTaskFailed')).toBe(0);
    });
  }, SLOW_MS);

  it('should replay what the old build did about a fact, and look for the next one again (I8, P6)', async () => {
    await onRollout(server.env, ['now'], async (rollout) => {
      const { payout, provider } = await withUnseenFacts(rollout, 2);
      const before = await payout.events();
      expect([patchesIn(before), countOf(before, 'timerStarted')]).toEqual([[], 1]);
      await rollout.makeCurrent('now');
      await payout.tell('withdrawal');
      await eventually(async () => expect(patchesIn(await payout.events())).toEqual([CLAIM_PATCH]));
      // Told by nobody: only the second look can find it.
      provider.status = 'pending_confirmation';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      const events = await payout.events();
      expect(countOf(events, 'workflowTaskFailed')).toBe(0);
      expect(buildsOf(events.slice(before.length)).filter((build) => build !== 'now')).toEqual([]);
    });
  }, SLOW_MS);

  it('should stand still, and lose nothing, under a build that changed its way without a patch (I8)', async () => {
    await onRollout(server.env, ['careless', 'now'], async (rollout) => {
      const { payout, provider } = await withUnseenFacts(rollout, 2);
      const before = await payout.events();
      await rollout.makeCurrent('careless');
      await payout.tell('withdrawal');
      await eventually(async () => {
        const failed = (await payout.events()).flatMap((event) => event.workflowTaskFailedEventAttributes ?? []);
        expect(failed.map(({ cause, identity }) => [cause, identity])).toContainEqual([NON_DETERMINISTIC_ERROR, 'careless']);
      });
      expect(rollout.executed.filter(({ build }) => build === 'careless')).toEqual([]);
      provider.status = 'pending_confirmation';

      await rollout.makeCurrent('now');
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(buildsOf((await payout.events()).slice(before.length)).filter((build) => build !== 'now')).toEqual([]);
    });
  }, SLOW_MS);
});
