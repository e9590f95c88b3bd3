import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../support/product.ts';
import type { ChaosStage } from './chaos-stage.ts';
import { PARTS } from './plan-kills.ts';
import type { KillPlan, PartName, PlannedKill } from './plan-kills.ts';

/** How long a program is tried to be brought back, milliseconds: while what it needs is down itself, it ends again. */
const COME_BACK_MS = 90_000;
const PAUSE_MS = 300;
const POLL_MS = 100;
/** How many changes of status show that work goes on since the program came back. */
const STEPS_AT_WORK = 4;
/** How long the product is given to do something before the next kill, milliseconds: there may be nothing to do. */
const IDLE_MS = 15_000;
/** How much of the output of a program that ended by itself is shown, lines. */
const LAST_LINES = 25;

/** What the killer did, and what ended without it. */
export interface KillReport {
  readonly kills: Readonly<Record<PartName, number>>;
  /** Programs that ended by themselves while they should have served, with their last lines. */
  readonly endedByThemselves: readonly string[];
}

/** One process that is killed and comes back on what it left behind. */
interface Target {
  readonly name: string;
  readonly kill9: () => Promise<void>;
  readonly restart: () => Promise<void>;
  /** Whether it serves at present; a process that is being killed or started does not. */
  isServing: boolean;
}

/** What the killer keeps step with. */
export interface KillPace {
  /** How many changes of status are expected of the whole run: each row of kills is spread over them. */
  readonly steps: number;
  /** Resolves when the last operation is over; then no kill waits for work any more. */
  readonly over: Promise<unknown>;
  readonly onKill: () => void;
}

/**
 * Kills as planned, with work done between two kills, and brings back whatever ended, until all kills are done and all operations over. All serve again when
 * this resolves; nothing is started after it rejected.
 */
export async function killAndRevive(stage: ChaosStage, plan: KillPlan, pace: KillPace): Promise<KillReport> {
  const kills = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<PartName, number>;
  const endedByThemselves: string[] = [];
  const reviving = new Set<Promise<void>>();
  const failed = new AbortController();
  const revive = (target: Target, downMs: number): void => {
    const coming = delay(downMs).then(() => comeBack(stage, target, failed.signal));
    reviving.add(coming);
    void coming.catch((error: unknown) => failed.abort(error));
  };
  const targets = targetsOf(stage);
  const watching = Object.values(targets).flat().map((target) => watchOver(target, (lines) => {
    endedByThemselves.push([target.name, ...lines.slice(-LAST_LINES)].join('\n    '));
    revive(target, 0);
  }));
  const moment = killMoment(stage, pace.over, failed.signal);
  const runRow = async (row: readonly PlannedKill[]): Promise<void> => {
    for (const [nth, kill] of row.entries()) {
      const target = targets[kill.part][kill.index % targets[kill.part].length];
      if (target === undefined) throw new Error(`there is no ${kill.part} ${kill.index}`);
      await moment(target, kill, (pace.steps * nth) / row.length);
      target.isServing = false;
      await target.kill9();
      kills[kill.part] += 1;
      pace.onKill();
      revive(target, kill.downMs);
    }
  };
  const working = [runRow(plan.workers), runRow(plan.servers)];
  try {
    await Promise.all([...working, pace.over]);
    for (const coming of reviving) await coming;
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    for (const unwatch of watching) unwatch();
    await Promise.allSettled([...working, ...reviving]);
  }
  return { kills, endedByThemselves };
}

/** Gives what waits for the moment to kill. Whoever is killed while it starts, or without work, has nothing in its hands. */
function killMoment({ db }: ChaosStage, over: Promise<unknown>, failed: AbortSignal): (target: Target, kill: PlannedKill, dueAtStep: number) => Promise<void> {
  let isOver = false;
  void over.then(() => { isOver = true; }, () => { isOver = true; });
  /** All status changes on record; while the database is away, those from before. */
  let steps = 0;
  const countSteps = async (): Promise<number> => {
    const row = await db.selectFrom('transitions').select(({ fn }) => fn.max('transition_id').as('last')).executeTakeFirst().catch(() => undefined);
    return (steps = Math.max(steps, Number(row?.last ?? 0)));
  };
  const untilAtWork = async (dueAtStep: number): Promise<void> => {
    const enough = Math.max(dueAtStep, (await countSteps()) + STEPS_AT_WORK);
    for (const idleUntil = Date.now() + IDLE_MS; !isOver && Date.now() < idleUntil && (await countSteps()) < enough;) await delay(POLL_MS, undefined, { signal: failed });
  };
  return async (target, { after, pauseMs }, dueAtStep) => {
    if (after === 'nothing' && target.isServing) return;
    await untilServing(target, failed);
    if (after === 'work') await untilAtWork(dueAtStep);
    await delay(pauseMs, undefined, { signal: failed });
    await untilServing(target, failed);
  };
}

type WatchedTarget = Target & { readonly program?: () => Part['program'] };

function targetsOf({ product, postgres }: ChaosStage): Readonly<Record<PartName, readonly WatchedTarget[]>> {
  const ofPart = (name: string) => (part: Part, index: number): WatchedTarget => ({
    name: `${name} ${index}`, kill9: () => part.program.kill9(), restart: () => part.restart(), isServing: true, program: () => part.program,
  });
  return {
    worker: product.workers.map(ofPart('worker')), api: product.apis.map(ofPart('api')), sandbox: [product.sandbox].map(ofPart('sandbox')),
    temporal: [{ name: 'temporal', kill9: () => product.temporal.kill9(), restart: () => product.restartTemporal(), isServing: true }],
    postgres: [{ name: 'postgres', kill9: () => postgres.kill9(), restart: () => postgres.restart(), isServing: true }],
  };
}

async function untilServing(target: Target, failed: AbortSignal): Promise<void> {
  for (const giveUpAt = Date.now() + COME_BACK_MS; !target.isServing;) {
    if (Date.now() > giveUpAt) throw new Error(`${target.name} does not come back`);
    await delay(POLL_MS, undefined, { signal: failed });
  }
}

/** Starts it again until it serves, as a supervisor would. */
async function comeBack(stage: ChaosStage, target: Target, failed: AbortSignal): Promise<void> {
  for (const giveUpAt = Date.now() + COME_BACK_MS; !failed.aborted;) {
    try {
      await target.restart();
      target.isServing = true;
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw new Error(`${target.name} does not come back`, { cause: error });
      await delay(PAUSE_MS);
    } finally {
      stage.keepOutput();
    }
  }
}

/** Notices when a process ends that nobody killed. Gives what ends the watch. */
function watchOver(target: WatchedTarget, onEnd: (lines: readonly string[]) => void): () => void {
  const timer = setInterval(() => {
    const watched = target.program?.();
    if (!target.isServing || watched === undefined) return;
    void Promise.race([watched.exited, delay(0, null)]).then((ended) => {
      if (ended === null || !target.isServing || watched !== target.program?.()) return;
      target.isServing = false;
      onEnd(watched.lines());
    });
  }, PAUSE_MS);
  return () => clearInterval(timer);
}
