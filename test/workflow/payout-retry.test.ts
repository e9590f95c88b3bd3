import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, timerDueMs } from './read-history.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const HOUR_MS = 3_600_000;
const UNSENT = { kind: 'not_sent', retryAfterMs: 8 * HOUR_MS } as const;
const ASKED = { actor: 'op_1', reason: 'the provider is back' };
const NOT_AWAITED = { name: 'ActRefusedError', why: 'not_awaited' };
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('retryPayoutOrder', () => {
  it('should ask the provider about a payout order that simply waits, and answer with what it says (O2, O3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.retry(ASKED)).toMatchObject({ status: 'pending' });
      provider.status = 'pending_confirmation';
      expect(await payout.retry(ASKED)).toMatchObject({ status: 'pending_confirmation' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['retry', 'retry']);
      expect(script.calls('recordPayoutAct')).toHaveLength(2);
      expect(script.calls('recordPayoutAct')[0]).toMatchObject({ ...ASKED, act: 'retried', merchantId: 'mer_1', payoutOrderId: payout.id });
      expect(script.calls('voidReference')).toEqual([]);
      // The expiry and the window.
      expect(countOf(await payout.events(), 'timerStarted')).toBe(2);
    });
  });

  it('should be refused without actor or reason, and write nothing down (O2)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      for (const malformed of [{ ...ASKED, actor: '' }, { ...ASKED, reason: '' }, { ...ASKED, reason: 'x'.repeat(251) }]) {
        await expect(payout.retry(malformed)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'malformed', view: { status: 'pending' } });
      }
      expect([...script.calls('recordPayoutAct'), ...script.calls('followPayoutOrder')]).toEqual([]);
    });
  });

  it('should void at once what could not be voided when it expired (O2, P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    provider.voids = false;
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs + 1000);
      const againMs = await eventually(async () => timerDueMs(await payout.events(), 64));
      provider.voids = true;
      await payout.retry(ASKED);
      await eventually(() => expect(provider.status).toBe('expired'));
      expect(await stage.env.currentTimeMs()).toBeLessThan(againMs);
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('voidReference').map(({ cause }) => cause)).toEqual(['expiry', 'expiry']);
      expect(script.calls('recordPayoutAct')).toMatchObject([ASKED]);
    });
  });

  it('should be told when something else came first, and find nobody after the end (O2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const voiding = latch();
    script.on('voidReference', async () => {
      await voiding.opened;
      return { kind: 'settled', status: (provider.status = 'cancelled') };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.signalCancel();
      await eventually(() => expect(script.calls('voidReference')).toHaveLength(1));
      const refused = payout.retry(ASKED).catch((error: unknown) => error);
      await eventually(async () => expect(countOf(await payout.events(), 'workflowExecutionUpdateAccepted')).toBe(2));
      voiding.open();
      expect(await refused).toMatchObject({ name: 'ActRefusedError', why: 'overtaken', view: { status: 'cancelled' } });
      await payout.wait();
      await expect(payout.retry(ASKED)).rejects.toThrow(NotRunningError);
      expect(script.calls('recordPayoutAct')).toEqual([]);
    });
  });
});

describe('retryPayoutOrder during a pause', () => {
  it('should void at once what the provider did not take (O2, P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', UNSENT, () => ({ kind: 'settled', status: (provider.status = 'cancelled') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.cancel('key_7')).toMatchObject({ status: 'pending' });
      await payout.retry(ASKED);
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      // Still in the name of who called it off.
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel', actor: 'key_7' }, { cause: 'cancel', actor: 'key_7' }]);
      expect(script.calls('recordPayoutAct')).toMatchObject([ASKED]);
      expect(countOf(await payout.events(), 'timerFired')).toBe(0);
    });
  });

  it('should ask for the reference at once that the provider did not take the request for (O2, S4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('issueReference', UNSENT, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ view: { status: 'open' } });
      await payout.retry(ASKED);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending' }));
      expect(script.calls('issueReference').map(({ sendNumber }) => sendNumber)).toEqual([1, 2]);
      expect(script.calls('findReference')).toEqual([]);
      expect(countOf(await payout.events(), 'timerFired')).toBe(0);
    });
  });

  it.each([
    { what: 'creation', status: 'open', lose: 'issueReference' },
    { what: 'void', status: 'pending', lose: 'voidReference' },
  ] as const)('should never cut the settle delay of a $what short (S4, O2)', async ({ status, lose }) => {
    const script = scriptActivities();
    fakePayoutProvider(script).status = 'pending';
    script.on(lose, { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      if (lose === 'voidReference') await payout.cancel();
      const dueMs = await eventually(async () => timerDueMs(await payout.events(), 60));
      await stage.skipTo(dueMs - 5000);
      await expect(payout.retry(ASKED)).rejects.toMatchObject({ ...NOT_AWAITED, view: { status } });
      expect([...script.calls('findReference'), ...script.calls('followPayoutOrder'), ...script.calls('recordPayoutAct')]).toEqual([]);
      await stage.skipTo(dueMs + 1000);
      await eventually(() => expect([...script.calls('findReference'), ...script.calls('followPayoutOrder')]).toHaveLength(1));
      expect(countOf(await payout.events(), 'timerCanceled')).toBe(0);
    });
  });

  it.each(['issueReference', 'voidReference'] as const)('should not cut the settle delay short when it was asked while %s was under way (S4, O2)', async (lose) => {
    const script = scriptActivities();
    fakePayoutProvider(script).status = 'pending';
    const sending = latch();
    script.on(lose, UNSENT, async () => {
      await sending.opened;
      return { kind: 'unknown' };
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      if (lose === 'voidReference') await payout.cancel();
      await payout.retry(ASKED);
      await eventually(() => expect(script.calls(lose)).toHaveLength(2));
      const updates = countOf(await payout.events(), 'workflowExecutionUpdateAccepted');
      void payout.retry(ASKED).catch(() => undefined);
      await eventually(async () => expect(countOf(await payout.events(), 'workflowExecutionUpdateAccepted')).toBe(updates + 1));
      sending.open();
      const dueMs = await eventually(async () => timerDueMs(await payout.events(), 60));
      await stage.skipTo(dueMs - 5000);
      expect([...script.calls('findReference'), ...script.calls('followPayoutOrder')]).toEqual([]);
      await stage.skipTo(dueMs + 1000);
      await eventually(() => expect([...script.calls('findReference'), ...script.calls('followPayoutOrder')].length).toBeGreaterThan(0));
    });
  });

  it('should be refused before the first answer of the provider (O2, P1)', async () => {
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
      await expect(payout.retry(ASKED)).rejects.toMatchObject({ ...NOT_AWAITED, view: { status: 'open' } });
      issuing.open();
      await begun;
      expect(script.calls('recordPayoutAct')).toEqual([]);
    });
  });
});

describe('retryPayoutOrder after issuing gave up', () => {
  it.each([
    { what: 'send again under the next number what the look does not find', isThere: false, sends: [1, 2] },
    { what: 'send nothing when the look finds it', isThere: true, sends: [1] },
  ])('should $what (O2, S4)', async ({ isThere, sends }) => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { maxSends: 1 });
    script.on('issueReference', { kind: 'unknown' }, () => ({ kind: 'settled', status: (provider.status = 'pending') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 65_000);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown' }]));
      if (isThere) provider.status = 'pending';
      await payout.retry(ASKED);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: false }));
      expect(script.calls('findReference').map(({ sendNumber }) => sendNumber)).toEqual([1, 1]);
      expect(script.calls('issueReference').map(({ sendNumber }) => sendNumber)).toEqual(sends);
      expect(script.calls('recordPayoutAct')).toMatchObject([ASKED]);
    });
  });

  it('should only look, and send nothing, once expires_at is past (O2, P1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { maxSends: 1 });
    script.on('issueReference', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 65_000);
      await eventually(() => expect(script.calls('openCase')).toHaveLength(1));
      provider.isSilent = true;
      await stage.skipTo(payout.expiresAtMs + 62_000);
      await eventually(async () => expect(timerDueMs(await payout.events(), 64)).toBeGreaterThan(payout.expiresAtMs));
      provider.isSilent = false;
      await payout.retry(ASKED);
      expect(await payout.wait()).toMatchObject({ status: 'open', statusDetail: 'refused_by_provider' });
      expect(script.calls('findReference').at(-1)).toMatchObject({ isLast: true });
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });
});
