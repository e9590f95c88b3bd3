import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { providerSide } from '../e2e/provider-side.ts';
import { findCanaries } from './canaries.ts';
import type { Place } from './canaries.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { planChaos } from './chaos-plan.ts';
import type { ChaosPlan } from './chaos-plan.ts';
import { startStage } from './chaos-stage.ts';
import type { ChaosStage } from './chaos-stage.ts';
import { orderEvidence, payoutEvidence } from './evidence.ts';
import { countFaults, countRecovered, countWords } from './figures.ts';
import type { RunFigures } from './figures.ts';
import { replayHistories, visiblePlaces } from './histories.ts';
import { killAndRevive } from './killer.ts';
import type { KillReport } from './killer.ts';
import { payoutAims, playPayout } from './play-payouts.ts';
import type { PlayedPayout } from './play-payouts.ts';
import { playOrder } from './play-refunds.ts';
import type { OrderPlayers, PlayedOrder } from './play-refunds.ts';
import { provokeErrors } from './provoke-errors.ts';
import { untilQuiet } from './quiet.ts';
import { tallyRaces } from './races.ts';
import { eventsOutOfStep } from './records-of-run.ts';
import type { ShippedBuild } from './shipped-build.ts';
import { refundSteerer } from './steer-refund.ts';
import { watchStops } from './stops.ts';
import { judgeRun } from './verdict.ts';

/** Tells how far a run is. */
export type Say = (line: string) => void;

const NAIVE_WORKER = fileURLToPath(new URL('../e2e/naive/worker.ts', import.meta.url));
/** How many orders and payout orders are played at once: each of them is replayed whenever its worker is killed. */
const ORDERS_AT_ONCE = 20;
const PAYOUTS_AT_ONCE = 30;
/** How many changes of status a refund or payout order has at least on average, until it is at rest. */
const STEPS_OF_AN_OPERATION = 2.4;
/** How far the operations that have begun may be before the kills, as a part of all: so kills come to the end of the run, and none comes to an idle product. */
const AHEAD = 0.2;
const PAUSE_MS = 100;
const PROGRESS_MS = 10_000;

/** What was played, and what was killed meanwhile. */
interface Played {
  readonly orders: readonly PlayedOrder[];
  readonly payouts: readonly PlayedPayout[];
  readonly report: KillReport;
  /** What could not be played to its end, because somebody was answered what nobody should be. */
  readonly failures: readonly string[];
}

/** Starts everything, plays the plan of a seed, waits for quiet, collects what both sides say, and judges it. Rejects when it is stopped. */
export async function runChaos(options: ChaosOptions, seed: number, build: ShippedBuild, say: Say, stopped: AbortSignal): Promise<RunFigures> {
  const clock = stopwatch();
  const plan = planFor(options, seed);
  if (options.protocol === 'naive') say('the naive workers know neither payout orders nor refunds that stop before they are sent: those are not played');
  say(`seed ${seed}: starting PostgreSQL, a Temporal server, the sandbox, two APIs and two ${options.protocol === 'naive' ? 'naive ' : ''}workers`);
  const stage = await startStage(seed, options.protocol === 'naive' ? { ...build, workerProgram: NAIVE_WORKER } : build);
  try {
    const start = clock();
    const played = await play(stage, plan, say, stopped);
    const playing = clock();
    say('no more kills; waiting for quiet');
    const restless = await untilQuiet(stage, { catchesUp: options.protocol === 'safe' });
    stopped.throwIfAborted();
    const quiet = clock();
    say(restless.length === 0 ? 'quiet; collecting what both sides say' : `${restless.length} are still under way; collecting what both sides say`);
    const figures = await judgeStage(stage, options, played, restless);
    return { ...figures, seed, seconds: { start, play: playing, quiet, verdict: clock() } };
  } finally {
    await stage.stop();
  }
}

/** The naive protocol sends refunds, and knows neither payout orders nor stops. */
function planFor(options: ChaosOptions, seed: number): ChaosPlan {
  const plan = planChaos(options, seed);
  return options.protocol === 'safe' ? plan : { ...plan, payouts: [], orders: plan.orders.filter(({ shape }) => shape !== 'steered') };
}

async function play(stage: ChaosStage, plan: ChaosPlan, say: Say, stopped: AbortSignal): Promise<Played> {
  const failures: string[] = [];
  const players: OrderPlayers = { callers: stage.callers, steer: refundSteerer(stage.callers, watchStops(stage.db)) };
  const aims = payoutAims();
  const done = { orders: 0, payouts: 0, kills: 0 };
  const killsPlanned = plan.kills.workers.length + plan.kills.servers.length;
  const killed = (): number => (killsPlanned === 0 ? 1 : done.kills / killsPlanned);
  const tell = (): void => say(`${done.orders} of ${plan.orders.length} orders, ${done.payouts} of ${plan.payouts.length} payout orders, ${done.kills} of ${killsPlanned} kills`);
  const progress = setInterval(tell, PROGRESS_MS);
  try {
    const playing = Promise.all([
      inTurns(plan.orders, { atOnce: ORDERS_AT_ONCE, killed, failures, stopped }, (order, nth) => playOrder(players, order, nth), () => { done.orders += 1; }),
      inTurns(plan.payouts, { atOnce: PAYOUTS_AT_ONCE, killed, failures, stopped }, (payout, nth) => playPayout(stage.callers, aims, payout, nth), () => { done.payouts += 1; }),
      provokeErrors(stage.callers, stage.canaries),
    ]);
    const report = await killAndRevive(stage, plan.kills, {
      steps: STEPS_OF_AN_OPERATION * (plan.orders.flatMap(({ asks }) => asks).length + plan.payouts.length), over: Promise.race([playing, whenStopped(stopped)]), onKill: () => { done.kills += 1; },
    });
    const [orders, payouts] = await playing;
    return { orders, payouts, report, failures };
  } finally {
    clearInterval(progress);
    tell();
  }
}

/** How a row is played. */
interface Turns {
  readonly atOnce: number;
  /** The part of the kills that is done, from 0 to 1. */
  readonly killed: () => number;
  /** Takes down what could not be played. */
  readonly failures: string[];
  readonly stopped: AbortSignal;
}

/** Plays all of a row, so many at once, and not too far ahead of the kills. What fails is noted, and the others go on. */
async function inTurns<Planned extends { readonly name: string }, Done>(
  row: readonly Planned[], { atOnce, killed, failures, stopped }: Turns, playOne: (planned: Planned, nth: number) => Promise<Done>, onDone: () => void,
): Promise<readonly Done[]> {
  const waiting = row.entries();
  const played: Done[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const [nth, planned] of waiting) {
      while (nth / row.length > killed() + AHEAD && !stopped.aborted) await delay(PAUSE_MS);
      if (stopped.aborted) return;
      await playOne(planned, nth).then((done) => played.push(done), (error: unknown) => failures.push(`${planned.name}: ${error instanceof Error ? error.message : String(error)}`));
      onDone();
    }
  }));
  return played;
}

function whenStopped(stopped: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    stopped.addEventListener('abort', () => reject(stopped.reason instanceof Error ? stopped.reason : new Error('stopped')), { once: true });
  });
}

async function judgeStage(stage: ChaosStage, { protocol }: ChaosOptions, { orders, payouts, report, failures }: Played, restless: readonly string[]): Promise<Omit<RunFigures, 'seed' | 'seconds'>> {
  const provider = providerSide(stage.product.sandboxUrl);
  const left = await provider.left();
  await provider.disarm();
  const [histories, ofOrders] = await Promise.all([protocol === 'safe' ? replayHistories(stage) : null, orderEvidence(stage, orders)]);
  const ofPayouts = await payoutEvidence(stage, payouts);
  const places: readonly Place[] = [
    ...stage.output().map((text) => ({ where: 'output of a program', text })), ...stage.callers.errorBodies().map((text) => ({ where: 'an error body', text })), ...await visiblePlaces(stage),
  ];
  const violations = judgeRun({
    orders: ofOrders, payouts: ofPayouts, restless, histories, eventsOutOfStep: await eventsOutOfStep(stage.db), canaries: findCanaries(stage.canaries, places), defects: [...stage.callers.defects(), ...failures],
  });
  const asks = ofOrders.flatMap(({ refunds }) => refunds);
  return {
    protocol, violations, kills: report.kills, endedByThemselves: report.endedByThemselves, replayed: histories?.replayed ?? null, races: tallyRaces(ofOrders, ofPayouts),
    operations: {
      refunds: asks.length, payouts: payouts.length, repeated: stage.callers.repeated(), postedTwice: [...asks.map(({ asked }) => asked), ...payouts].filter(({ twin }) => twin !== null).length,
    },
    faults: countFaults([...orders, ...payouts].flatMap(({ armed }) => armed), left),
    recovered: countRecovered(ofOrders.map((order, index) => [order, orders[index]?.armed ?? []]), ofPayouts.map((payout) => [payout, payout.played.armed]), left),
    endings: countWords([...asks.map(({ status, waits }) => (waits ? 'case' : status ?? 'not on record')), ...ofPayouts.map(({ record }) => record?.status ?? 'not on record')]),
    cases: countWords([...asks.flatMap(({ cases }) => cases), ...ofPayouts.flatMap(({ cases }) => cases)]),
  };
}

/** Gives the whole seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return Math.round((last - before) / 1000);
  };
}
