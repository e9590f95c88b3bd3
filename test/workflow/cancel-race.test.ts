import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { turnSignal } from '../../workflows/messages.ts';
import type { RefundView } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf } from './read-history.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import type { Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

const RACES = 60;
const AT_ONCE = 10;

/** The moments of a refund at which a cancellation may come; between them lie some milliseconds of chance. */
const MOMENTS = ['before_turn', 'with_turn', 'turn_asked', 'sent'] as const;

/** When the cancel of one race is sent: a moment and a number of turns of the event loop after it. */
interface Start {
  readonly moment: (typeof MOMENTS)[number];
  readonly ticks: number;
}

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Cancels as callers are told to: a request that the server lost track of is repeated. */
async function cancelUntilAnswered(refund: TestRefund): Promise<RefundView | null> {
  for (;;) {
    try {
      return await refund.cancel();
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
    }
  }
}

/** Runs one race: a refund that waits for its turn, the announcement of the turn, and a cancel at the given moment. */
async function race(stage: Stage, script: Script, start: Start): Promise<{ readonly refundId: string; readonly cancelAnswer: unknown; readonly end: RefundView }> {
  const refund = stage.refund();
  const begun = refund.begin();
  await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
  const has = (name: 'takeTurn' | 'submitRefund'): boolean => script.calls(name).some((call) => call.refundId === refund.id);
  const moment: Promise<void> = {
    before_turn: () => Promise.resolve(),
    with_turn: () => Promise.resolve(),
    turn_asked: () => eventually(() => expect(has('takeTurn')).toBe(true)),
    sent: () => eventually(() => expect(has('submitRefund')).toBe(true)),
  }[start.moment]();
  const cancelAnswer = moment.then(() => ticks(start.ticks)).then(() => cancelUntilAnswered(refund)).catch((error: unknown) => error);
  if (start.moment === 'before_turn') await eventually(() => expect(script.calls('cancelRefund').some((call) => call.refundId === refund.id)).toBe(true));
  // The turn may come to a refund that is called off and gone by now.
  await refund.handle.signal(turnSignal, { legId: 'leg_1' }).catch((error: unknown) => expect(error).toHaveProperty('name', 'WorkflowNotFoundError'));
  expect(await begun).toMatchObject({ kind: 'answered', view: { status: expect.stringMatching(/^(refunded|cancelled)$/) } });
  return { refundId: refund.id, cancelAnswer: await cancelAnswer, end: await refund.wait() };
}

describe('cancel against send', () => {
  it(`should have one winner in each of ${RACES} races, and tell every caller who it was (R4)`, async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    const starts = fc.sample(fc.record({ moment: fc.constantFrom(...MOMENTS), ticks: fc.nat(50) }), { numRuns: RACES, seed: 20_260_101 });
    const races: Awaited<ReturnType<typeof race>>[] = [];
    await onStage(server.env, script, async (stage) => {
      for (let first = 0; first < RACES; first += AT_ONCE) {
        races.push(...(await Promise.all(starts.slice(first, first + AT_ONCE).map((start) => race(stage, script, start)))));
      }
    });
    const wins = { cancel: 0, send: 0 };
    for (const { refundId, cancelAnswer, end } of races) {
      const cancelled = script.calls('cancelRefund').filter((call) => call.refundId === refundId).length;
      const sent = script.calls('submitRefund').filter((call) => call.refundId === refundId).length;
      expect({ cancelled, sent }).toEqual(cancelled === 1 ? { cancelled: 1, sent: 0 } : { cancelled: 0, sent: 1 });
      wins[cancelled === 1 ? 'cancel' : 'send'] += 1;
      expect(end.status).toBe(cancelled === 1 ? 'cancelled' : 'refunded');
      // A cancel that comes after the very end finds no Workflow: it was not called off, and its caller is told that much.
      if (cancelled === 1) expect(cancelAnswer).toMatchObject({ status: 'cancelled' });
      else expect(['NotCancellableError', 'NotRunningError']).toContain((cancelAnswer as Error).name);
    }
    expect(wins.cancel + wins.send).toBe(RACES);
    expect(wins.cancel, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
    expect(wins.send, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
  });
});
