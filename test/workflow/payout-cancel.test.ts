import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotCancellableError, NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('cancelPayoutOrder', () => {
  it('should void a pending payout order in the name of who asked (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.cancel('key_7')).toMatchObject({ status: 'cancelled' });
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel', actor: 'key_7' }]);
      expect(provider.status).toBe('cancelled');
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
    });
  });

  it('should void while a withdrawal is being confirmed, after which no confirmation follows (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
    });
  });

  it('should be refused, and change nothing, when the provider does not void (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', { kind: 'declined', status: 'pending_confirmation' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      const refusal = await payout.cancel().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NotCancellableError);
      expect(refusal).toMatchObject({ view: { payoutOrderId: payout.id, status: 'pending_confirmation' } });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
    });
  });

  it('should follow the provider when that refuses because the cash is out (P2, P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'withdrawn';
      const refusal = await payout.cancel().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NotCancellableError);
      expect(refusal).toMatchObject({ view: { status: 'withdrawn' } });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
    });
  });

  it('should be refused by the validator while no reference is issued (P1, P4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const issuing = latch();
    script.on('issueReference', async () => {
      await issuing.opened;
      return { kind: 'settled', status: 'pending' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      const begun = payout.begin();
      await eventually(() => expect(script.calls('issueReference')).toHaveLength(1));
      const refusal = await payout.cancel().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NotCancellableError);
      expect(refusal).toMatchObject({ view: { status: 'open' } });
      issuing.open();
      expect(await begun).toMatchObject({ view: { status: 'pending' } });
      // Refused before it was taken in: nothing of it is in the history, and nothing was asked of the provider.
      expect((await payout.events()).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(1);
      expect(script.calls('voidReference')).toEqual([]);
    });
  });

  it('should tell callers that come after the end to look at the records (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.cancel();
      await payout.wait();
      await expect(payout.cancel()).rejects.toThrow(NotRunningError);
      expect(script.calls('voidReference')).toHaveLength(1);
      expect(provider.status).toBe('cancelled');
    });
  });

  it('should give all who cancel at once the same answer by voiding once (P4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const voiding = latch();
    script.on('voidReference', async () => {
      await voiding.opened;
      return { kind: 'settled', status: 'cancelled' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const answers = Promise.all([payout.cancel('key_1'), payout.cancel('key_2'), payout.cancel('key_3')]);
      await eventually(async () => expect((await payout.events()).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(4));
      voiding.open();
      const [first, second, third] = await answers;
      expect(first).toMatchObject({ status: 'cancelled' });
      expect([second, third]).toEqual([first, first]);
      expect(script.calls('voidReference')).toHaveLength(1);
    });
  });

  it('should answer with the state as it is when the answer of the void is lost, then verify (P4, S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', () => {
      provider.status = 'cancelled';
      return { kind: 'unknown' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.cancel()).toMatchObject({ status: 'pending' });
      expect(script.calls('followPayoutOrder')).toEqual([]);
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'cancel' }]);
      expect(script.calls('voidReference')).toHaveLength(1);
    });
  });

  it('should void again when the look finds the reference untouched (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', { kind: 'unknown' }, () => ({ kind: 'settled', status: (provider.status = 'cancelled') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.cancel()).toMatchObject({ status: 'pending' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('voidReference')).toHaveLength(2);
    });
  });
});

describe('signalCancelPayoutOrder', () => {
  it('should cancel without waiting (P4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.signalCancel();
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel', actor: 'key_1' }]);
    });
  });

  it('should leave a payout order as it is when the provider refuses (P4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('voidReference', { kind: 'declined', status: 'pending' }, { kind: 'settled', status: 'expired' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.signalCancel();
      await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(1));
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('voidReference').map(({ cause }) => cause)).toEqual(['cancel', 'expiry']);
    });
  });
});

describe('cancellation of a payout order in the Temporal Web UI', () => {
  it('should be a request like any other: voided at the provider, told to those who wait (P4, P5)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const voiding = latch();
    script.on('voidReference', async () => {
      await voiding.opened;
      return { kind: 'settled', status: 'cancelled' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.handle.cancel();
      await eventually(() => expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel', actor: 'temporal' }]));
      const another = payout.cancel();
      await eventually(async () => expect((await payout.events()).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(2));
      voiding.open();
      expect(await another).toMatchObject({ status: 'cancelled' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
    });
  });

  it('should not lose the answer of who waits for the reference (P5)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const issuing = latch();
    script.on('issueReference', async () => {
      await issuing.opened;
      return { kind: 'settled', status: (provider.status = 'pending') };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      const begun = payout.begin();
      await eventually(() => expect(script.calls('issueReference')).toHaveLength(1));
      await payout.handle.cancel();
      await eventually(async () => expect((await payout.events()).some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true));
      issuing.open();
      expect(await begun).toMatchObject({ kind: 'answered' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
    });
  });
});
