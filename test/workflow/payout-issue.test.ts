import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, needsAttentionUpserts, typeOf } from './read-history.ts';
import { PROTOCOL } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

function silence(): ApplicationFailure {
  return ApplicationFailure.create({ message: 'the provider does not answer' });
}

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
      // What the fact was about is asked once more, now that there is a reference: the look for it may have been older.
      await eventually(() => expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'fact' }]));
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
    });
  });

  it('should issue nothing while looks stay unanswered, tell a human once, and go on by itself when they are answered (S4, S7, O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' });
    script.on('findReference', () => {
      if (provider.status === 'open') throw silence();
      return { kind: 'settled', status: provider.status };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'open' } });
      await stage.skipTo((await stage.env.currentTimeMs()) + 3 * 3_600_000);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'unreadable_answer', payoutOrderId: payout.id }]);
      expect(await payout.view()).toMatchObject({ status: 'open', needsAttention: true });
      provider.status = 'pending';
      await stage.skipTo((await stage.env.currentTimeMs()) + 2 * 3_600_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: false }));
      expect(needsAttentionUpserts(await payout.events()).at(-1)).toBe(false);
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });

  it('should ask less and less often, and not end, when nobody says at expires_at whether there is a reference (P2, S7)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script, { maxSends: 1 });
    let answers = true;
    script.on('issueReference', { kind: 'unknown' });
    script.on('findReference', () => {
      if (!answers) throw silence();
      return { kind: 'absent' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      answers = false;
      await stage.skipTo(payout.expiresAtMs + 24 * 3_600_000);
      const asking = await payout.events();
      expect(asking.length, asking.map(typeOf).join('\n')).toBeLessThanOrEqual(400);
      expect(await payout.view()).toMatchObject({ status: 'open', statusDetail: 'registered', needsAttention: true });
      answers = true;
      expect(await payout.wait()).toMatchObject({ status: 'open', statusDetail: 'never_issued' });
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });

  it('should take the provider at its word when the case is still open at expires_at (P1, P2)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('issueReference', { kind: 'unknown' }).on('findReference', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.wait()).toMatchObject({ status: 'open', statusDetail: 'never_issued', needsAttention: false });
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
  it('should void for a cancel although no look at the provider is ever answered (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('followPayoutOrder', () => {
      throw silence();
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('followPayoutOrder').length).toBeGreaterThan(0));
      await stage.skipTo((await stage.env.currentTimeMs()) + 3 * 3_600_000);
      expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: true });
      await payout.signalCancel();
      expect(await payout.wait()).toMatchObject({ status: 'cancelled', needsAttention: false });
      expect(provider.status).toBe('cancelled');
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel' }]);
    });
  });

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

  it('should not take the payout order on record for the answer to another request under its key (R8)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('registerPayoutOrder', { provider: 'conekta', confirmationWindowMs: 180_000, protocol: PROTOCOL, fingerprint: 'of-the-recorded-request' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await expect(payout.begin()).rejects.toMatchObject({ name: 'KeyReusedError' });
      expect(await payout.view()).toMatchObject({ fingerprint: 'of-the-recorded-request' });
    });
  });
});
