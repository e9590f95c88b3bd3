import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { detailsOf } from './read-details.ts';
import { countOf } from './read-history.ts';
import { ACCEPTED, FOUND, PROTOCOL, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestPayoutOrder, TestRefund } from './stage.ts';

const CANARY = 'canary-4f1b';
const MONEY = { amountMinor: 50_000, currency: 'MXN' };
let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

async function searchAttributesOf(subject: TestRefund | TestPayoutOrder): Promise<Record<string, unknown>> {
  const { typedSearchAttributes } = await subject.handle.describe();
  const ours = typedSearchAttributes.getAll().filter(({ key }) => key.name.startsWith('Reintegro'));
  return Object.fromEntries(ours.map(({ key, value }) => [key.name, value]));
}

/** Everything that people see without opening a payload: details, summaries of Workflow, Activities and timers, search attributes, ids. */
async function shownOf(subject: TestRefund | TestPayoutOrder): Promise<string> {
  const description = await subject.handle.describe();
  const decode = (payload: { data?: Uint8Array | null } | null | undefined): string => Buffer.from(payload?.data ?? []).toString();
  const events = (await subject.events()).flatMap((event) => [
    decode(event.userMetadata?.summary), decode(event.userMetadata?.details),
    ...Object.values(event.workflowExecutionStartedEventAttributes?.searchAttributes?.indexedFields ?? {}).map(decode),
    ...Object.values(event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields ?? {}).map(decode),
    ...Object.values(event.workflowExecutionStartedEventAttributes?.memo?.fields ?? {}).map(decode),
  ]);
  return JSON.stringify([
    subject.workflowId, await detailsOf(subject), await description.staticSummary(), await description.staticDetails(),
    await searchAttributesOf(subject), description.memo, ...events,
  ]);
}

describe('a refund in the Temporal Web UI', () => {
  it('should say in every state what it is, what it waits for and who may unblock it (A6)', async () => {
    const sending = latch();
    const protocol = { ...PROTOCOL, settleDelayMs: 500, maxSends: 1 };
    const script = scriptActivities().on('reserveRefund', reserved([false], protocol)).on('takeTurn', { hasTurn: true }).on('findRefund', { kind: 'absent' });
    script.on('submitRefund', async () => {
      await sending.opened;
      return { kind: 'unknown' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin({ shownMoney: MONEY });
      await eventually(async () => expect(await detailsOf(refund)).toContain('charge charge_1: $50.00 MXN'));
      expect(await detailsOf(refund)).toMatch(/\*\*Refund \$50\.00 MXN of ord_1\*\*\n\nStatus: \*\*pending /);
      expect(await (await refund.handle.describe()).staticSummary()).toBe('Refund $500.00 MXN · ord_1');
      await refund.handle.signal('turnCame', { legId: 'leg_1' });
      await eventually(async () => expect(await detailsOf(refund)).toContain('Status: **in_process (sent)**'));
      sending.open();
      await eventually(async () => expect(await detailsOf(refund)).toMatch(/in_process \(verifying\)[^]*Waits for: the settle delay/));
      await begun;
      await eventually(async () => expect(await detailsOf(refund)).toMatch(/needs_attention[^]*Waits for: a decision on its case[^]*Who may unblock it: an operator/));
      expect(await searchAttributesOf(refund)).toEqual({
        ReintegroStatus: 'in_process', ReintegroProvider: 'conekta', ReintegroMerchant: 'mer_1', ReintegroOrder: 'ord_1',
        ReintegroAmount: 5000, ReintegroCurrency: 'MXN', ReintegroNeedsAttention: true,
      });
    });
  });

  it('should carry its final status in the search attributes (A6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.wait();
      await eventually(async () => expect(await searchAttributesOf(refund)).toMatchObject({ ReintegroStatus: 'refunded', ReintegroAmount: 5000, ReintegroNeedsAttention: false }));
      // A closed Workflow still answers.
      expect(await refund.view()).toMatchObject({ status: 'refunded' });
      expect(await detailsOf(refund)).toContain('Status: **refunded (complete)**');
    });
  });

  it('should show nothing of what the request says about people (I7)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false], { ...PROTOCOL, settleDelayMs: 100 })).on('takeTurn', { hasTurn: true });
    script.on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ reason: CANARY, idempotencyKey: CANARY, requestedBy: CANARY });
      const begun = refund.begin({ shownMoney: MONEY });
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      expect(await shownOf(refund)).not.toContain(CANARY);
      await refund.handle.signal('turnCame', { legId: 'leg_1' });
      await begun;
      await refund.wait();
      const shown = await shownOf(refund);
      expect(shown).toContain('settle delay');
      expect(shown).not.toContain(CANARY);
    });
  });
});

describe('a payout order in the Temporal Web UI', () => {
  it('should say in every state what it is and what it waits for (A6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { confirmationWindowMs: 1000 });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await (await payout.handle.describe()).staticSummary()).toBe('Payout order $500.00 MXN');
      expect(await detailsOf(payout)).toMatch(/\*\*Payout order of \$500\.00 MXN\*\*[^]*Status: \*\*pending\*\*[^]*expires at[^]*Waits for: somebody to collect the cash/);
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await eventually(async () => expect(await detailsOf(payout)).toMatch(/pending_confirmation[^]*Waits for: the confirmation window/));
      await payout.wait();
      expect(await payout.view()).toMatchObject({ status: 'withdrawn' });
      expect(await detailsOf(payout)).toContain('Status: **withdrawn**');
      expect(await searchAttributesOf(payout)).toEqual({
        ReintegroStatus: 'withdrawn', ReintegroProvider: 'conekta', ReintegroMerchant: 'mer_1', ReintegroAmount: 50_000, ReintegroCurrency: 'MXN', ReintegroNeedsAttention: false,
      });
    });
  });

  it('should show nothing of what the request says about people (I7)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { confirmationWindowMs: 100 });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder({ customerId: CANARY, reason: CANARY, metadata: { note: CANARY, [CANARY]: 1 }, idempotencyKey: CANARY, requestedBy: CANARY });
      await payout.begin();
      expect(await shownOf(payout)).not.toContain(CANARY);
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await payout.wait();
      const shown = await shownOf(payout);
      expect(shown).toContain('confirmation window');
      expect(shown).not.toContain(CANARY);
    });
  });
});
