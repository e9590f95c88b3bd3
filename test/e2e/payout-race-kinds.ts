import { setTimeout as delay } from 'node:timers/promises';
import type { CancelWay, RaceCallers, RailAct, Told } from './payout-race-callers.ts';
import { WINDOW_MS } from './payout-race-stage.ts';

/** How a race may end. */
export type RaceEnd = 'cancelled' | 'withdrawn' | 'reversed' | 'expired';

/** What acts in a race: callers, and the two clocks. */
type Side = 'cancel' | RailAct | 'expiry' | 'window';

/** One kind of race: two sides, of which one is aimed so that both win often. */
export interface RaceKind {
  readonly name: string;
  readonly aimed: 'cancel' | RailAct;
  readonly against: Side;
  /** A withdrawal that has begun before, and whether a cancel still voids it. */
  readonly begun?: { readonly isVoidable: boolean };
}

/** What a side wins when it is first. */
const END_OF: Readonly<Record<Side, RaceEnd>> = {
  cancel: 'cancelled', withdrawal: 'withdrawn', confirmation: 'withdrawn', reversal: 'reversed', expiry: 'expired', window: 'withdrawn',
};

/** The kinds of two sides. */
export const DUELS: readonly RaceKind[] = [
  { name: 'cancel × withdrawal', aimed: 'cancel', against: 'withdrawal' },
  { name: 'withdrawal × expiry', aimed: 'withdrawal', against: 'expiry' },
  { name: 'cancel × expiry', aimed: 'cancel', against: 'expiry' },
  { name: 'reversal × confirmation', aimed: 'reversal', against: 'confirmation', begun: { isVoidable: false } },
  { name: 'cancel × confirmation', aimed: 'cancel', against: 'confirmation', begun: { isVoidable: true } },
  { name: 'cancel × reversal', aimed: 'cancel', against: 'reversal', begun: { isVoidable: true } },
  { name: 'reversal × end of the window', aimed: 'reversal', against: 'window', begun: { isVoidable: false } },
  { name: 'cancel × end of the window', aimed: 'cancel', against: 'window', begun: { isVoidable: true } },
];

/** The kind in which all act at once. */
export const MELEE = 'all five at once';

/** Every end that a race of this kind may have, the aimed side's first. */
export function endsOf({ aimed, against }: RaceKind): readonly [RaceEnd, RaceEnd] {
  return [END_OF[aimed], END_OF[against]];
}

/** Whether our own clock or the provider's takes part by `expires_at`. */
export function isAboutExpiry(kind: RaceKind | typeof MELEE): boolean {
  return kind === MELEE || kind.against === 'expiry';
}

/**
 * How we learn of what happens at the till: by webhook; by the rail alone, which reports what it did while all webhooks are lost; or, once a
 * withdrawal is reported, from nobody before the next deadline.
 */
export type News = 'webhook' | 'rail' | 'deadline';

/** One payout order that is raced about. */
export interface RaceScene {
  readonly callers: RaceCallers;
  readonly id: string;
  readonly expiresAt: Date;
  readonly news: News;
  readonly cancelWay: CancelWay;
  /** Writes down what a caller was told. */
  readonly note: (told: Told) => void;
}

/** Runs a race of two sides, the aimed one so much later than the other, or earlier (milliseconds). */
export async function duel(scene: RaceScene, kind: RaceKind, aimMs: number, restMs: number): Promise<void> {
  let windowEndsAtMs = 0;
  if (kind.begun !== undefined) {
    await atTill(scene, 'withdrawal', kind.begun.isVoidable);
    windowEndsAtMs = Date.now() + WINDOW_MS;
    await delay(restMs);
  }
  const clockMs = kind.against === 'expiry' ? scene.expiresAt.getTime() : kind.against === 'window' ? windowEndsAtMs : Date.now() + Math.max(0, -aimMs);
  await Promise.all([at(clockMs + aimMs, () => act(scene, kind.aimed)), at(clockMs, () => act(scene, kind.against))]);
}

/** When each acts in a race of all, milliseconds: cancel and withdrawal from the expiry on, the rail's two acts from the withdrawal's answer on. */
export interface MeleeAims {
  readonly cancel: number;
  readonly withdrawal: number;
  readonly confirmation: number;
  readonly reversal: number;
  readonly isVoidable: boolean;
}

/** Runs a race of cancel, withdrawal, confirmation, reversal and expiry. */
export async function melee(scene: RaceScene, aims: MeleeAims): Promise<void> {
  const expiresAtMs = scene.expiresAt.getTime();
  const rail = async (): Promise<void> => {
    const told = await actAtTill(scene, 'withdrawal', aims.isVoidable);
    // The rail refuses both acts of a withdrawal that it has not answered.
    const beganAtMs = Date.now();
    await Promise.all([reportAct(scene, 'withdrawal', told), at(beganAtMs + aims.confirmation, () => act(scene, 'confirmation')), at(beganAtMs + aims.reversal, () => act(scene, 'reversal'))]);
  };
  await Promise.all([at(expiresAtMs + aims.cancel, () => act(scene, 'cancel')), at(expiresAtMs + aims.withdrawal, rail)]);
}

async function act(scene: RaceScene, side: Side): Promise<void> {
  if (side === 'cancel') scene.note(await scene.callers.cancel(scene.id, scene.cancelWay));
  // The clocks act by themselves.
  else if (side !== 'expiry' && side !== 'window') await atTill(scene, side);
}

/** Acts at the till; what was done is reported where no webhook tells it. */
async function atTill(scene: RaceScene, railAct: RailAct, isVoidable = false): Promise<void> {
  await reportAct(scene, railAct, await actAtTill(scene, railAct, isVoidable));
}

async function actAtTill({ callers, id, note }: RaceScene, railAct: RailAct, isVoidable: boolean): Promise<Told> {
  const told = await callers.till(id, railAct, isVoidable);
  note(told);
  return told;
}

async function reportAct({ callers, id, news, note }: RaceScene, railAct: RailAct, told: Told): Promise<void> {
  const isReported = news === 'rail' || (news === 'deadline' && railAct === 'withdrawal');
  if (told.says === 'done' && isReported) note(await callers.report(id, railAct));
}

async function at(timeMs: number, doIt: () => Promise<void>): Promise<void> {
  await delay(Math.max(0, timeMs - Date.now()));
  await doIt();
}
