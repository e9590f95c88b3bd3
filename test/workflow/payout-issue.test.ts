import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf } from './read-history.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('payoutOrderWorkflow, issuing', () => {
  it('should stay open for ever, and admit nothing, when the provider refuses the reference for good (P1)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('issueReference', { kind: 'declined', status: 'open' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'open', statusDetail: 'refused_by_provider', needsAttention: false } });
      expect(await payout.wait()).toMatchObject({ status: 'open' });
      await expect(payout.cancel()).rejects.toThrow('no running Workflow');
      expect(countOf(await payout.events(), 'timerStarted')).toBe(0);
      expect(script.calls('issueReference')).toHaveLength(1);
      expect(script.calls('voidReference')).toEqual([]);
    });
  });

  it('should answer at once when the answer is lost, look after the settle delay and never issue twice (S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', () => {
      provider.status = 'pending';
      return { kind: 'unknown' };
    });
    script.on('findReference', () => ({ kind: 'settled', status: provider.status }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'open' } });
      expect(script.calls('findReference')).toEqual([]);
      await stage.skipTo((await stage.env.currentTimeMs()) + 61_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('issueReference')).toHaveLength(1);
      expect(script.calls('findReference')).toMatchObject([{ sendNumber: 1 }]);
    });
  });

  it('should issue again only after a look that found none (S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' }, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
    script.on('findReference', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 61_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      expect(script.calls('issueReference').map(({ sendNumber }) => sendNumber)).toEqual([1, 2]);
      expect(script.calls('findReference')).toHaveLength(1);
    });
  });

  it('should open a case after the last unknown issue and send no more; a fact makes it look again (S4, O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' });
    script.on('findReference', () => (provider.status === 'open' ? { kind: 'absent' } : { kind: 'settled', status: provider.status }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 24 * 3_600_000);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown', payoutOrderId: payout.id }]));
      expect(await payout.view()).toMatchObject({ status: 'open', needsAttention: true });
      provider.status = 'pending';
      await payout.tell('changed');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      expect(script.calls('issueReference')).toHaveLength(3);
    });
  });

  it('should take the provider at its word when the case is still open at expires_at (P1, P2)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' }).on('findReference', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.wait()).toMatchObject({ status: 'open', statusDetail: 'never_issued', needsAttention: true });
      expect(script.calls('findReference')).toHaveLength(4);
    });
  });

  it('should wait as long as the provider asks before it issues again (S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', { kind: 'not_sent', retryAfterMs: 90_000 }, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ view: { status: 'open' } });
      await stage.skipTo((await stage.env.currentTimeMs()) + 91_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      const [pause] = (await payout.events()).flatMap((event) => event.timerStartedEventAttributes ?? []);
      expect(Number(pause?.startToFireTimeout?.seconds)).toBe(90);
    });
  });
});

describe('payoutOrderWorkflow, provider facts', () => {
  it('should open a case, and change nothing, when the provider contradicts the books (P6, O1)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('followPayoutOrder', { kind: 'contradiction', status: 'pending' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'contradiction', payoutOrderId: payout.id }]));
      expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: true });
    });
  });

  it('should start nothing new for a repeated request, and refuse another one under the same key (P7, R8)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const asked = { idempotencyKey: 'the-same', expiresAt: new Date((await stage.env.currentTimeMs()) + 3_600_000) };
      const first = await stage.payoutOrder(asked);
      await first.begin();
      const again = await stage.payoutOrder(asked);
      expect(await again.begin()).toMatchObject({ kind: 'answered', payoutOrderId: first.id, view: { status: 'pending' } });
      await expect((await stage.payoutOrder({ ...asked, amountMinor: 1 })).begin()).rejects.toThrow('idempotency key');
      await first.cancel();
      await first.wait();
      expect(await again.begin()).toMatchObject({ kind: 'closed', payoutOrderId: first.id });
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });
});
