import { setTimeout as delay } from 'node:timers/promises';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { turnSignal } from '../../workflows/messages.ts';
import type { RefundEnd } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import type { Latch } from './scripted-activities.ts';
import { sampleSize } from '../support/sample-size.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

const RACES = sampleSize({ quick: 150, full: 1000 });
const AT_ONCE = 40;

/** How far apart cancel and turn are at most by chance, either way, milliseconds: from long before the send to after the end. */
const SPREAD_MS = 60;

/** By how much the next cancels come later after a race that the cancel won, or earlier after one that it lost, milliseconds. */
const STEP_MS = 2;

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

type StepName = 'reserveRefund' | 'takeTurn' | 'submitRefund' | 'cancelRefund';

/** How often a refund took each step, and doors that open when it first does: races wait without asking the server. */
function watchSteps() {
  const doors = new Map<string, Latch>();
  const counts = new Map<string, number>();
  const door = (id: string): Latch => {
    const known = doors.get(id) ?? latch();
    doors.set(id, known);
    return known;
  };
  return {
    take: <T>(step: StepName, answer: T) => ({ refundId }: { readonly refundId: string }): T => {
      const id = `${step} ${refundId}`;
      counts.set(id, (counts.get(id) ?? 0) + 1);
      door(id).open();
      return answer;
    },
    reached: (step: StepName, refundId: string): Promise<void> => door(`${step} ${refundId}`).opened,
    count: (step: StepName, refundId: string): number => counts.get(`${step} ${refundId}`) ?? 0,
  };
}

type Steps = ReturnType<typeof watchSteps>;

/** Cancels as callers are told to: a request that the server lost track of, or that has no verdict yet, is repeated. */
async function cancelUntilAnswered(refund: TestRefund): Promise<RefundEnd> {
  for (;;) {
    try {
      const view = await refund.cancel();
      if (view !== null) return view;
    } catch (error) {
      if (!(error instanceof TemporalUnavailableError)) throw error;
    }
  }
}

/** What became of one race. */
interface Race {
  readonly refundId: string;
  readonly cancelAnswer: unknown;
  readonly end: RefundEnd;
}

/** Runs one race: a refund that waits for its turn, and the announcement of the turn against a cancel so much later, or earlier. */
async function race(stage: Stage, steps: Steps, cancelAfterTurnMs: number): Promise<Race> {
  const refund = stage.refund();
  const begun = refund.begin({ waitMs: 60_000 });
  await steps.reached('reserveRefund', refund.id);
  const cancelAnswer = delay(Math.max(0, cancelAfterTurnMs)).then(() => cancelUntilAnswered(refund)).catch((error: unknown) => error);
  await delay(Math.max(0, -cancelAfterTurnMs));
  // The turn may come to a refund that is called off and gone by now.
  await refund.handle.signal(turnSignal, { legId: 'leg_1' }).catch((error: unknown) => expect(error).toHaveProperty('name', 'WorkflowNotFoundError'));
  expect(await begun).toMatchObject({ kind: 'answered', view: { status: expect.stringMatching(/^(refunded|cancelled)$/) } });
  return { refundId: refund.id, cancelAnswer: await cancelAnswer, end: await refund.wait() };
}

/** Runs all races, so many at once. How fast a turn becomes a send depends on the machine: the cancels follow what wins, so that both sides do. */
async function raceAll(stage: Stage, steps: Steps): Promise<readonly Race[]> {
  const races: Race[] = [];
  const chances = fc.sample(fc.integer({ min: -SPREAD_MS, max: SPREAD_MS }), { numRuns: RACES, seed: 20_260_101 }).values();
  let evenMs = 0;
  const runInTurn = async (): Promise<void> => {
    for (const chanceMs of chances) {
      const run = await race(stage, steps, evenMs + chanceMs);
      evenMs += run.end.status === 'cancelled' ? STEP_MS : -STEP_MS;
      races.push(run);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runInTurn));
  return races;
}

describe('cancel against send', () => {
  it(`should have one winner in each of ${RACES} races, and tell every caller who it was (R4)`, { timeout: 300_000 }, async () => {
    const steps = watchSteps();
    const script = scriptActivities().on('reserveRefund', steps.take('reserveRefund', reserved([false]))).on('takeTurn', steps.take('takeTurn', { hasTurn: true }))
      .on('submitRefund', steps.take('submitRefund', ACCEPTED)).on('cancelRefund', steps.take('cancelRefund', { nextTurns: [] }));
    let races: readonly Race[] = [];
    await onStage(server.env, script, async (stage) => {
      races = await raceAll(stage, steps);
      // Workflows beside Activities, as in the product.
    }, { debugMode: false });
    const wins = { cancel: 0, send: 0 };
    for (const { refundId, cancelAnswer, end } of races) {
      // The step that writes a cancellation down may be repeated with its Workflow Task; a send may not.
      const cancelled = steps.count('cancelRefund', refundId) > 0;
      expect(steps.count('submitRefund', refundId)).toBe(cancelled ? 0 : 1);
      wins[cancelled ? 'cancel' : 'send'] += 1;
      expect(end.status).toBe(cancelled ? 'cancelled' : 'refunded');
      // A cancel that comes after the very end finds no Workflow: it was not called off, and its caller is told that much.
      if (cancelled) expect(cancelAnswer).toMatchObject({ status: 'cancelled' });
      else expect(['NotCancellableError', 'NotRunningError']).toContain((cancelAnswer as Error).name);
    }
    expect(wins.cancel + wins.send).toBe(RACES);
    expect(wins.cancel, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
    expect(wins.send, JSON.stringify(wins)).toBeGreaterThanOrEqual(RACES * 0.2);
  });
});
