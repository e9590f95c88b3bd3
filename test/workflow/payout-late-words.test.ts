import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PayoutOutcome } from '../../activities/payout-contracts.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const DAY_MS = 86_400_000;
let server: Environment;
beforeAll(async () => { server = await timeSkippingServer(); });
afterAll(() => server.close());

/** A payout order in its window whose confirmation is being looked at; `during` happens before the look is answered, with the last of `answers`. */
async function duringConcludingLook(answers: readonly [last: PayoutOutcome, ...afterwards: PayoutOutcome[]], during: (tell: (fact: 'reversal' | 'withdrawal' | 'confirmation') => Promise<unknown>) => Promise<unknown>) {
  const script = scriptActivities();
  const provider = fakePayoutProvider(script);
  const looking = latch();
  const ended = { view: {}, looks: 0, cases: [] as readonly string[] };
  await onStage(server.env, script, async (stage) => {
    const payout = await stage.payoutOrder();
    await payout.begin();
    provider.status = 'pending_confirmation';
    await payout.report('withdrawal');
    const [last, ...afterwards] = answers;
    script.on('followPayoutOrder', async () => {
      await looking.opened;
      return last;
    }, ...afterwards);
    await payout.tell('confirmation');
    await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(2));
    await during((fact) => payout.tell(fact));
    looking.open();
    const view = await payout.wait();
    Object.assign(ended, { view, looks: script.calls('followPayoutOrder').length - 2, cases: script.calls('openCase').map(({ kind }) => kind) });
  });
  return ended;
}

describe('payoutOrderWorkflow, what is told during its last look', () => {
  it('should put a reversal before a person that was told while the withdrawal was being read (P6, O1)', async () => {
    const ended = await duringConcludingLook([{ kind: 'settled', status: 'withdrawn' }], (tell) => tell('reversal'));
    expect(ended).toMatchObject({ view: { status: 'withdrawn', needsAttention: true }, cases: ['late_reversal'] });
  });

  it('should put a confirmation before a person that was told, and ended as a reversal (P6, O1)', async () => {
    const ended = await duringConcludingLook([{ kind: 'settled', status: 'reversed' }], async () => undefined);
    expect(ended).toMatchObject({ view: { status: 'reversed' }, cases: ['contradiction'] });
  });

  it('should ask nobody and call nobody about what the end contains', async () => {
    const ended = await duringConcludingLook([{ kind: 'settled', status: 'withdrawn' }], (tell) => tell('confirmation'));
    expect(ended).toEqual({ view: expect.objectContaining({ status: 'withdrawn', needsAttention: false }) as unknown, looks: 0, cases: [] });
  });
});

describe('payoutOrderWorkflow, a withdrawal that was voided with its reference', () => {
  it.each<[string, PayoutOutcome, readonly string[]]>([
    ['the provider agrees', { kind: 'settled', status: 'cancelled' }, []], ['the provider honours it', { kind: 'contradiction', status: 'cancelled' }, ['contradiction']],
  ])('should, told during the void, be asked about once, when %s (P4, P6)', async (_, answer, kinds) => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const voiding = latch();
    script.on('voidReference', async () => {
      await voiding.opened;
      return { kind: 'settled', status: 'cancelled' };
    }).on('followPayoutOrder', answer);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.signalCancel();
      await eventually(() => expect(script.calls('voidReference')).toHaveLength(1));
      await payout.tell('withdrawal');
      voiding.open();
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('followPayoutOrder')).toHaveLength(1);
      expect(script.calls('openCase').map(({ kind }) => kind)).toEqual(kinds);
    });
  });
});

describe('payoutOrderWorkflow, a reference that is voided because its time is over', () => {
  it('should call nobody when the provider announces that void while it answers (P2, P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const voiding = latch();
    script.on('voidReference', async () => {
      await voiding.opened;
      return { kind: 'settled', status: 'expired' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs + 1000);
      await eventually(() => expect(script.calls('voidReference')).toHaveLength(1));
      await payout.tell('cancellation');
      voiding.open();
      expect(await payout.wait()).toMatchObject({ status: 'expired', needsAttention: false });
      expect([...script.calls('followPayoutOrder'), ...script.calls('openCase')]).toEqual([]);
    });
  });
});

describe('payoutOrderWorkflow, a reversal that the provider told and does not show', () => {
  it('should not be overruled by the end of the window; what the provider then says counts, and a person is told when it says nothing (P2, O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.report('withdrawal');
      await stage.skipTo((await stage.env.currentTimeMs()) + 165_000);
      await payout.report('reversal');
      await stage.skipTo((await stage.env.currentTimeMs()) + DAY_MS / 4);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation', needsAttention: true });
      expect(script.calls('openCase').map(({ kind }) => kind)).toEqual(['waited_too_long']);
      provider.status = 'reversed';
      expect(await payout.wait()).toMatchObject({ status: 'reversed', needsAttention: false });
    });
  });
});

describe('payoutOrderWorkflow, a withdrawal that was told just before its time was over', () => {
  it('should not be voided before it was looked for, and have its window once it shows (P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      await payout.report('withdrawal');
      await stage.skipTo(payout.expiresAtMs + 5000);
      expect(await payout.view()).toMatchObject({ status: 'pending' });
      provider.status = 'pending_confirmation';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'expiry', isWithdrawalTold: true }]);
    });
  });

  it('should be voided in the end if it never shows', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      await payout.report('withdrawal');
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('voidReference').at(-1)).toMatchObject({ isWithdrawalTold: false });
    });
  });
});

describe('payoutOrderWorkflow, a void that the provider does not take', () => {
  it('should follow what is told meanwhile: the withdrawal begins its window, and its end counts (P2, P5)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', { kind: 'not_sent', retryAfterMs: null });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.signalCancel();
      await eventually(() => expect(script.calls('voidReference').length).toBeGreaterThan(0));
      provider.status = 'pending_confirmation';
      await payout.report('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      provider.status = 'withdrawn';
      await payout.tell('confirmation');
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('openCase')).toEqual([]);
    });
  });
});
