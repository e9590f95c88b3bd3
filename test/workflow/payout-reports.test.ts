import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, timerDueMs } from './read-history.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestPayoutOrder } from './stage.ts';

const HOUR_MS = 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** Waits until so many updates are in the history; the first is that of the creation. */
async function untilTaken(payout: TestPayoutOrder, updates: number): Promise<void> {
  await eventually(async () => expect(countOf(await payout.events(), 'workflowExecutionUpdateAccepted')).toBe(updates));
}

describe('reportPayoutFact', () => {
  it('should be answered after a look of its own, not after one that was under way (P2, P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const looking = latch();
    script.on('followPayoutOrder', async () => {
      await looking.opened;
      return { kind: 'settled', status: 'pending' };
    }, { kind: 'settled', status: 'pending_confirmation' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(1));
      const told = payout.report('withdrawal');
      await untilTaken(payout, 2);
      looking.open();
      expect(await told).toMatchObject({ status: 'pending_confirmation' });
      expect(script.calls('followPayoutOrder')).toHaveLength(2);
    });
  });

  it('should answer all who report at once after one look (P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const looking = latch();
    script.on('followPayoutOrder', async () => {
      await looking.opened;
      return { kind: 'settled', status: provider.status };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(1));
      const told = Promise.all([payout.report('withdrawal'), payout.report('confirmation'), payout.report('withdrawal')]);
      await untilTaken(payout, 4);
      provider.status = 'withdrawn';
      looking.open();
      for (const answer of await told) expect(answer).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').length).toBeLessThanOrEqual(2);
    });
  });

  it('should be answered with the state as it was while the provider is silent, and acted upon when it is back (P2, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.isSilent = true;
      const told = payout.report('withdrawal');
      await eventually(() => expect(script.calls('followPayoutOrder').length).toBeGreaterThan(0));
      await stage.skipTo((await stage.env.currentTimeMs()) + 65_000);
      expect(await told).toMatchObject({ status: 'pending', needsAttention: false });
      Object.assign(provider, { isSilent: false, status: 'pending_confirmation' });
      await stage.skipTo((await stage.env.currentTimeMs()) + 70_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
    });
  });

  it('should find nobody after the end (P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.cancel();
      await payout.wait();
      await expect(payout.report('withdrawal')).rejects.toThrow(NotRunningError);
    });
  });
});

describe('reportPayoutFact before the reference is known', () => {
  it('should be answered by the first look when the reference is issued meanwhile (P1, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const issuing = latch();
    script.on('issueReference', async () => {
      await issuing.opened;
      provider.status = 'pending_confirmation';
      return { kind: 'settled', status: 'pending' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      const begun = payout.begin();
      await eventually(() => expect(script.calls('issueReference')).toHaveLength(1));
      const told = payout.report('withdrawal');
      await untilTaken(payout, 2);
      issuing.open();
      expect(await told).toMatchObject({ status: 'pending_confirmation' });
      expect(await begun).toMatchObject({ kind: 'answered' });
      expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'fact' }]);
    });
  });

  it('should be answered with the state as it is when the answer of the creation is lost, and acted upon when it is found (S4, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const issuing = latch();
    script.on('issueReference', async () => {
      await issuing.opened;
      return { kind: 'unknown' };
    });
    script.on('findReference', { kind: 'too_early', waitMs: 60_000 }, () => ({ kind: 'settled', status: (provider.status = 'pending_confirmation') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      const begun = payout.begin();
      await eventually(() => expect(script.calls('issueReference')).toHaveLength(1));
      const told = payout.report('withdrawal');
      await untilTaken(payout, 2);
      issuing.open();
      expect(await told).toMatchObject({ status: 'open' });
      await begun;
      await stage.skipTo((await stage.env.currentTimeMs()) + 125_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });

  it('should look for a lost creation at once, and wait out the settle delay when that is too early to tell (S4, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' }, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
    script.on('findReference', { kind: 'too_early', waitMs: 50_000 }, { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      const dueMs = await eventually(async () => timerDueMs(await payout.events(), 50));
      expect(script.calls('findReference')).toHaveLength(1);
      await stage.skipTo(dueMs - 1000);
      // Nothing is sent before a look that may prove that there is none.
      expect(script.calls('issueReference')).toHaveLength(1);
      await stage.skipTo(dueMs + 1000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      expect(script.calls('issueReference').map(({ sendNumber }) => sendNumber)).toEqual([1, 2]);
      expect(script.calls('findReference')).toHaveLength(2);
    });
  });

  it('should make it look again after issuing gave up, and be answered with what is found (P6, S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { maxSends: 1 });
    script.on('issueReference', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + HOUR_MS);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown' }]));
      expect(await payout.report('changed')).toMatchObject({ status: 'open', needsAttention: true });
      provider.status = 'pending_confirmation';
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation', needsAttention: false });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });
});
