import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf, scheduledActivities, typeOf } from './read-history.ts';
import { ACCEPTED, AUTHORIZED, FOLLOWED, reserved, REVIEW, stopping } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import type { Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { HistoryEvent, TestRefund } from './stage.ts';

/**
 * What the longer ways of a refund cost the server, in events. An approval adds one normal Activity (6), an update (2), a timer (2), and the tasks
 * that they need; each look at an accepted refund one normal Activity (6), the word from the provider (4) and a timer (2).
 */
const APPROVED_EVENTS = 31;
const FOLLOWED_TWICE_EVENTS = 41;

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

/** The whole history of a refund that is brought to its end. */
async function historyOf(script: Script, act: (refund: TestRefund) => Promise<void>): Promise<readonly HistoryEvent[]> {
  let events: readonly HistoryEvent[] = [];
  await onStage(server.env, script, async (stage) => {
    const refund = stage.refund();
    await refund.begin();
    await act(refund);
    await refund.wait();
    events = await refund.events();
  });
  expect(typeOf(events.at(-1) ?? {})).toBe('workflowExecutionCompleted');
  return events;
}

describe.concurrent('history of a refund', () => {
  it(`should hold an approved refund to ${APPROVED_EVENTS} events (R3)`, async () => {
    const script = scriptActivities().on('reserveRefund', stopping(REVIEW)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    const events = await historyOf(script, async (refund) => void (await refund.approve()));
    expect(scheduledActivities(events)).toEqual(['passCheckpoint', 'submitRefund']);
    expect(events.length, events.map(typeOf).join('\n')).toBeLessThanOrEqual(APPROVED_EVENTS);
  });

  it(`should hold an authorized refund that is followed twice to ${FOLLOWED_TWICE_EVENTS} events (R6)`, async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', AUTHORIZED).on('followRefund', FOLLOWED.approved, FOLLOWED.refunded);
    const events = await historyOf(script, async (refund) => {
      await refund.tell('evt_1');
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(2));
      await refund.tell('evt_2');
    });
    expect(scheduledActivities(events)).toEqual(['submitRefund', 'followRefund', 'followRefund']);
    expect(events.length, events.map(typeOf).join('\n')).toBeLessThanOrEqual(FOLLOWED_TWICE_EVENTS);
  });
});
