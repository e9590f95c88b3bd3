import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { realServer, timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, typeOf } from './read-history.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

/** The budgets of the foundation: what one process may cost the server. */
const REFUND_EVENTS = 15;
const PAYOUT_EVENTS = 28;
/** What a refund's history may hold on a real server with the SDK's long build id, which the product replaces by a short one. */
const REFUND_BYTES = 3700;

describe.each([
  { name: 'a real server', open: () => realServer(), isReal: true },
  { name: 'the time-skipping server', open: () => timeSkippingServer(), isReal: false },
])('history of one process on $name', ({ open, isReal }) => {
  let server: Environment;

  beforeAll(async () => {
    server = await open();
  });
  afterAll(() => server.close());

  it(`should hold a synchronous refund of one charge to ${REFUND_EVENTS} events`, async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'refunded' } });
      const events = await eventually(async () => {
        const all = await refund.events();
        expect(typeOf(all.at(-1) ?? {})).toBe('workflowExecutionCompleted');
        return all;
      });
      expect(events.map(typeOf).length, events.map(typeOf).join('\n')).toBeLessThanOrEqual(REFUND_EVENTS);
      expect(countOf(events, 'activityTaskScheduled')).toBe(1);
      // The time-skipping server does not say.
      const { historySize = 0 } = await refund.handle.describe();
      expect(historySize).toBeLessThanOrEqual(REFUND_BYTES);
      if (isReal) expect(historySize).toBeGreaterThan(0);
    });
  });

  it(`should hold a payout order from creation to cancellation to ${PAYOUT_EVENTS} events`, async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ view: { status: 'pending' } });
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      const events = await eventually(async () => {
        const all = await payout.events();
        expect(typeOf(all.at(-1) ?? {})).toBe('workflowExecutionCompleted');
        return all;
      });
      expect(events.map(typeOf).length, events.map(typeOf).join('\n')).toBeLessThanOrEqual(PAYOUT_EVENTS);
    });
  });
});
