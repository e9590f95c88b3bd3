import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { raceCallers } from './payout-race-callers.ts';
import type { CancelWay, RaceCallers, RacedOrder, Told } from './payout-race-callers.ts';
import { duel, DUELS, endsOf, isAboutExpiry, MELEE, melee } from './payout-race-kinds.ts';
import type { News, RaceKind } from './payout-race-kinds.ts';
import { WINDOW_MS } from './payout-race-stage.ts';
import type { RaceStage } from './payout-race-stage.ts';

/** How far an aim is off by chance, either way, milliseconds. */
const SPREAD_MS = 30;
/** How far the acts of a race of all are apart by chance, milliseconds. */
const MELEE_SPREAD_MS = 120;
/** How much later than even they are on average, milliseconds: the expiry wins only if both cancel and withdrawal come behind it. */
const MELEE_DELAY_MS = 60;
/** By how much the next aims move after a race, towards the side that lost: twice as much each time that one side wins again, up to a limit; milliseconds. */
const STEP_MS = 12;
/** How much longer a cancel is on its way to the provider than what happens at the till, at first sight; milliseconds. */
const CANCEL_TAKES_MS = 100;
const LARGEST_STEP_MS = 100;
/** No aim is farther off, milliseconds: within the confirmation window both sides must be done. */
const FARTHEST_MS = WINDOW_MS / 2;
/** How far ahead a reference expires that is raced against its expiry, at least, milliseconds. */
const EXPIRES_IN_MS = 1500;
/** How much of that must be left once it is created, milliseconds. */
const LEAST_LEAD_MS = 500;
const FAR_AHEAD_MS = 3_600_000;
const PATIENCE_MS = 60_000;

/** One race: what it was, what everybody was told, and how it stands after its end. */
export interface Race {
  readonly name: string;
  readonly kind: RaceKind | typeof MELEE;
  readonly id: string;
  readonly order: RacedOrder;
  readonly news: News;
  readonly told: readonly Told[];
  readonly isVoidable: boolean;
  /** What the Workflow ended with. */
  readonly end: string;
  /** What a cancel is told after the end. */
  readonly again: Told;
  readonly record: { readonly status: string; readonly amount: number; readonly currency: string };
  /** The Conekta face's word for the same. */
  readonly face: string;
  readonly provider: { readonly status: string; readonly amount: number; readonly currency: string };
  readonly journal: readonly { readonly kind: string; readonly amount: number; readonly currency: string }[];
}

/** Chance of one race: numbers from 0 to 1. */
interface Chance {
  readonly aim: number;
  readonly rest: number;
  readonly rail: number;
  readonly otherRail: number;
}

const NEWS: readonly News[] = ['webhook', 'rail', 'deadline', 'webhook'];
const WAYS: readonly CancelWay[] = ['http', 'client', 'http', 'client', 'signal'];

/** Where each kind of race is even: how fast each side is depends on the machine, so the aims follow what wins. */
function evenAims() {
  const known = new Map<string, { ms: number; stepMs: number }>();
  const of = (key: string): { ms: number; stepMs: number } => {
    const found = known.get(key) ?? { ms: key.startsWith('cancel') ? -CANCEL_TAKES_MS : 0, stepMs: 0 };
    known.set(key, found);
    return found;
  };
  return {
    of: (key: string): number => of(key).ms,
    learn(key: string, aimedWon: boolean): void {
      const even = of(key);
      const towards = aimedWon ? 1 : -1;
      even.stepMs = Math.sign(even.stepMs) === towards ? towards * Math.min(LARGEST_STEP_MS, 2 * Math.abs(even.stepMs)) : towards * STEP_MS;
      even.ms = Math.max(-FARTHEST_MS, Math.min(FARTHEST_MS, even.ms + even.stepMs));
    },
  };
}

type EvenAims = ReturnType<typeof evenAims>;

/** Runs so many races, all kinds in turn, so many at once. */
export async function runRaces(stage: RaceStage, count: number, atOnce: number, seed: number): Promise<readonly Race[]> {
  const callers = raceCallers(stage);
  const even = evenAims();
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const chances = fc.sample(fc.record({ aim: unit, rest: unit, rail: unit, otherRail: unit }), { numRuns: count, seed }).entries();
  const races: Race[] = [];
  const failures: unknown[] = [];
  const runInTurn = async (turn: number): Promise<void> => {
    // Not all at the same instant.
    await delay(turn * 50);
    for (const [index, chance] of chances) {
      if (failures.length > 0) return;
      await runRace(stage, callers, even, index, chance).then((race) => races.push(race), (error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, turn) => runInTurn(turn)));
  // Only now, when nobody races any more.
  if (failures.length > 0) throw failures[0];
  return races;
}

async function runRace(stage: RaceStage, callers: RaceCallers, even: EvenAims, index: number, chance: Chance): Promise<Race> {
  const kinds = [...DUELS, MELEE] as const;
  const kind = kinds[index % kinds.length] ?? MELEE;
  const round = Math.floor(index / kinds.length);
  const news = NEWS[round % NEWS.length] ?? 'webhook';
  const cancelWay = WAYS[round % WAYS.length] ?? 'http';
  const { order, id } = await create(callers, index, isAboutExpiry(kind) ? (round % 2 === 0 ? 'late' : 'same') : 'none');
  if (news !== 'webhook') stage.loseWebhooks(id);
  const told: Told[] = [];
  const scene = { callers, id, expiresAt: order.expiresAt, news, cancelWay, note: (said: Told): void => void told.push(said) };
  const isVoidable = kind === MELEE ? chance.rest < 0.7 : kind.begun?.isVoidable ?? false;
  const key = (name: string): string => `${name} ${order.isProviderLate ? 'late' : 'same'}`;
  const name = `${index} ${kind === MELEE ? MELEE : kind.name} (${news}, ${cancelWay}, ${order.isProviderLate ? 'late provider' : 'one clock'}) ${id}`;
  if (kind === MELEE) await melee(scene, { ...meleeAims(even, key, chance), isVoidable });
  else await duel(scene, kind, even.of(key(kind.name)) + (2 * chance.aim - 1) * SPREAD_MS, chance.rest * 150);
  const ended = await Promise.race([callers.end(id), delay(PATIENCE_MS, null, { ref: false })]);
  if (ended === null) throw new Error(`${name} does not end: ${JSON.stringify({ told, record: await callers.record(id), history: stage.history(id) })}`);
  if (kind !== MELEE) even.learn(key(kind.name), ended.status === endsOf(kind)[0]);
  else if (ended.status === 'reversed' || ended.status === 'withdrawn') even.learn(key(MELEE), ended.status === 'reversed');
  const record = await callers.record(id);
  const [again, face, provider, journal] = await Promise.all([
    callers.cancel(id, 'http'), callers.read(id), callers.provider(record.provider_payout_order_id), callers.journal(record.provider_payout_order_id),
  ]);
  return { name, kind, id, order, news, told, isVoidable, end: ended.status, again, record, face: face.status, provider, journal };
}

/** Creates a payout order that can be raced about: not one whose time was over, or nearly so, when it was made. */
async function create(callers: RaceCallers, index: number, clock: 'late' | 'same' | 'none'): Promise<{ readonly order: RacedOrder; readonly id: string }> {
  for (let expiresInMs = clock === 'none' ? FAR_AHEAD_MS : EXPIRES_IN_MS; ; expiresInMs *= 2) {
    const order = orderOf(index, clock, expiresInMs);
    const { id, status } = await callers.create(order);
    if (status === 'pending' && order.expiresAt.getTime() - Date.now() > LEAST_LEAD_MS) return { order, id };
  }
}

/** Amounts differ, so that a row of one race cannot pass for another's; none is a magic one. */
function orderOf(index: number, clock: 'late' | 'same' | 'none', expiresInMs: number): RacedOrder {
  const amountMinor = 1000 * (index + 1) + (index % 800);
  const earliestMs = Date.now() + expiresInMs;
  // One clock for both sides ticks in seconds on the wire.
  return { amountMinor, expiresAt: new Date(clock === 'late' ? earliestMs : Math.ceil(earliestMs / 1000) * 1000), isProviderLate: clock === 'late' };
}

/** Near where cancel and withdrawal are even with the expiry, so that any of all may come first. */
function meleeAims(even: EvenAims, key: (name: string) => string, { aim, rest, rail, otherRail }: Chance) {
  // Of the rail's two acts, the one that wins too often waits for the other.
  const reversal = even.of(key(MELEE));
  const [expiryCancel, expiryWithdrawal] = [even.of(key('cancel × expiry')), even.of(key('withdrawal × expiry'))];
  return {
    cancel: expiryCancel + MELEE_DELAY_MS + (2 * aim - 1) * MELEE_SPREAD_MS, withdrawal: expiryWithdrawal + MELEE_DELAY_MS + (2 * ((rest * 7) % 1) - 1) * MELEE_SPREAD_MS,
    confirmation: Math.max(0, -reversal) + rail * MELEE_SPREAD_MS, reversal: Math.max(0, reversal) + otherRail * MELEE_SPREAD_MS,
  };
}
