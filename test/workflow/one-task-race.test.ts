import { CompleteAsyncError } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotCancellableError } from '../../src/client/client-errors.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { turnSignal } from '../../workflows/messages.ts';
import type { PayoutOrderView } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, scheduledActivities } from './read-history.ts';
import { ACCEPTED, FOUND, PROTOCOL, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestPayoutOrder } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

/** What a caller was told: the status it got, or the status it was refused with. */
async function verdictOf(cancel: Promise<PayoutOrderView | null>): Promise<{ cancelled: boolean; status: PayoutOrderStatus | undefined }> {
  try {
    return { cancelled: true, status: (await cancel)?.status };
  } catch (error) {
    if (!(error instanceof NotCancellableError)) throw error;
    return { cancelled: false, status: error.view?.status as PayoutOrderStatus };
  }
}

/** Brings a payout order to `pending`, then lets a fact, two cancels by update, one by signal and its expiry meet in one Workflow Task. */
async function collide(trueStatus: PayoutOrderStatus) {
  const script = scriptActivities();
  const provider = fakePayoutProvider(script);
  const seen: { verdicts: Awaited<ReturnType<typeof verdictOf>>[]; end: PayoutOrderStatus | undefined; payout: TestPayoutOrder | undefined } = { verdicts: [], end: undefined, payout: undefined };
  await onStage(server.env, script, async (stage) => {
    const payout = await stage.payoutOrder({ expiresAt: new Date((await stage.env.currentTimeMs()) + 2000) });
    await payout.begin();
    provider.status = trueStatus;
    let verdicts: Promise<Awaited<ReturnType<typeof verdictOf>>[]> = Promise.resolve([]);
    await stage.whileWorkerIsGone(async () => {
      verdicts = Promise.all([verdictOf(payout.cancel('key_1')), verdictOf(payout.cancel('key_2'))]);
      await payout.signalCancel();
      await payout.tell('changed');
      await eventually(async () => expect(countOf(await payout.events(), 'timerFired')).toBe(1));
    });
    seen.verdicts = await verdicts;
    seen.end = (await payout.wait()).status;
  });
  return { ...seen, script, provider };
}

describe.concurrent('payoutOrderWorkflow, cancel, fact and expiry in one Workflow Task', () => {
  it('should let the withdrawal win when the cash is out, and tell every caller so (P5)', async () => {
    const { verdicts, end, script } = await collide('withdrawn');
    expect(end).toBe('withdrawn');
    expect(verdicts).toEqual([{ cancelled: false, status: 'withdrawn' }, { cancelled: false, status: 'withdrawn' }]);
    expect(script.calls('voidReference')).toEqual([]);
  });

  it('should let the cancel win before the clock when the reference is untouched (P4, P5)', async () => {
    const { verdicts, end, script, provider } = await collide('pending');
    expect(end).toBe('cancelled');
    expect(provider.status).toBe('cancelled');
    expect(verdicts).toEqual([{ cancelled: true, status: 'cancelled' }, { cancelled: true, status: 'cancelled' }]);
    expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel' }]);
  });

  it('should let the cancel win while a withdrawal waits for its confirmation (P3, P5)', async () => {
    const { verdicts, end, script } = await collide('pending_confirmation');
    expect(end).toBe('cancelled');
    expect(verdicts).toEqual([{ cancelled: true, status: 'cancelled' }, { cancelled: true, status: 'cancelled' }]);
    expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel' }]);
  });

  it('should let the reversal win when the rail took the cash back (P5)', async () => {
    const { verdicts, end, script } = await collide('reversed');
    expect(end).toBe('reversed');
    expect(verdicts).toEqual([{ cancelled: false, status: 'reversed' }, { cancelled: false, status: 'reversed' }]);
    expect(script.calls('voidReference')).toEqual([]);
  });
});

describe.concurrent('refundWorkflow, cancel and send in one Workflow Task', () => {
  it('should let the cancel win that meets the turn of the charge (R4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      let verdict: Promise<unknown> = Promise.resolve();
      await stage.whileWorkerIsGone(async () => {
        await refund.handle.signal(turnSignal, { legId: 'leg_1' });
        verdict = refund.cancel();
        await refund.signalCancel();
      });
      expect(await begun).toMatchObject({ view: { status: 'cancelled' } });
      expect(await verdict).toMatchObject({ status: 'cancelled' });
      expect(script.calls('submitRefund')).toEqual([]);
      expect(script.calls('cancelRefund')).toHaveLength(1);
    });
  });

  it('should ignore the cancel that comes before the first step when a leg went out before this run began (R4, S4)', async () => {
    const plan = { ...reserved([true], { ...PROTOCOL, settleDelayMs: 100 }), alreadySent: true };
    const script = scriptActivities().on('reserveRefund', plan).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      let begun: Promise<unknown> = Promise.resolve();
      await stage.whileWorkerIsGone(async () => {
        begun = refund.begin();
        await eventually(() => refund.signalCancel());
      });
      expect(await begun).toMatchObject({ kind: 'answered' });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', 'findRefund']);
      expect(script.calls('cancelRefund')).toEqual([]);
    });
  });

  it('should let the cancel win that comes before the first step (R4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      let begun: Promise<unknown> = Promise.resolve();
      await stage.whileWorkerIsGone(async () => {
        begun = refund.begin();
        await eventually(() => refund.signalCancel());
      });
      expect(await begun).toMatchObject({ view: { status: 'cancelled' } });
      expect(script.calls('submitRefund')).toEqual([]);
      expect(script.calls('cancelRefund')).toHaveLength(1);
    });
  });
});

describe.concurrent('refundWorkflow, a worker that is gone', () => {
  it('should count an Activity whose worker went silent as unknown (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, settleDelayMs: 100 })).on('findRefund', FOUND);
    // Taken and never heard of again, as by a killed worker: the server's heartbeat timeout notices.
    script.on('submitRefund', () => {
      throw new CompleteAsyncError();
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin({ waitMs: 500 })).toMatchObject({ kind: 'accepted' });
      await eventually(async () => expect(countOf(await refund.events(), 'activityTaskTimedOut')).toBe(1));
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', 'findRefund']);
    });
  });
});
