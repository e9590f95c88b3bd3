import { chance, deck } from './chance.ts';
import type { Chance } from './chance.ts';
import { faultDealer, spread } from './plan-faults.ts';
import type { PlannedFault } from './plan-faults.ts';

/**
 * What becomes of a payout order. `leave`: nothing. `expire`: nobody collects it. `cancel`. `confirm`, `reverse`, `window`: a withdrawal that is
 * confirmed, taken back, or left to the end of its window. `withdraw_cancel`: a cancel after a withdrawal, whose cash may not be out yet.
 * `cancel_race`: a cancel and a withdrawal at once. `rail_race`: a confirmation and a reversal at once.
 */
export const STORIES = ['leave', 'expire', 'cancel', 'confirm', 'reverse', 'window', 'withdraw_cancel', 'cancel_race', 'rail_race'] as const;

/** One of them. */
export type Story = (typeof STORIES)[number];

/** A payout order, and what becomes of it. */
export interface PayoutPlan {
  readonly name: string;
  readonly story: Story;
  /** Minor units. */
  readonly amountMinor: number;
  /** Whether its creation is posted twice at once, and where the second post goes. */
  readonly twin: 'none' | 'same_api' | 'other_api';
  readonly api: 0 | 1;
  readonly way: 'http' | 'client';
  /** Whether a cancel still voids the withdrawal. */
  readonly isVoidable: boolean;
  /** Whether a rail reports what it did, as it must where the provider's webhooks get lost. */
  readonly isReported: boolean;
  /** Between the acts at the till, milliseconds. */
  readonly pauseMs: number;
  readonly aim: number;
  readonly faults: readonly PlannedFault[];
}

const CARDS: readonly Story[] = ['leave', 'expire', 'cancel', 'cancel', 'confirm', 'confirm', 'reverse', 'window', 'withdraw_cancel', 'withdraw_cancel', 'cancel_race', 'cancel_race', 'cancel_race', 'rail_race', 'rail_race'];

/** Stories in which a caller asks to cancel. */
export const CANCELLING: readonly Story[] = ['cancel', 'withdraw_cancel', 'cancel_race'];

/** Stories in which somebody collects, or tries to. */
export const COLLECTING: readonly Story[] = ['confirm', 'reverse', 'window', 'withdraw_cancel', 'cancel_race', 'rail_race'];

/** Plans the payout orders of a seed, and so many faults for them. Pure. */
export function planStories(seed: number, count: number, faults: number): readonly PayoutPlan[] {
  const drawn = chance(seed, 'payout orders');
  const stories = deck(drawn, CARDS);
  const dealer = faultDealer(chance(seed, 'faults of payout orders'));
  const counts = spread(faults, Math.max(1, count));
  return Array.from({ length: count }, (_, index) => {
    const bare = planStory(drawn, stories(), index);
    const { story } = bare;
    const dealt = dealer.ofPayout(counts[index] ?? 0, { isCancelled: CANCELLING.includes(story), isFollowed: COLLECTING.includes(story), mayBeCalledOff: story === 'cancel' || story === 'leave' });
    // A withdrawal of which nobody tells is not noticed before the next question (docs/guarantees.md).
    return { ...bare, faults: dealt, isReported: bare.isReported || dealt.some(({ mode }) => mode === 'drop') };
  });
}

function planStory(drawn: Chance, story: Story, index: number): Omit<PayoutPlan, 'faults'> {
  return {
    name: `payout order ${index}: ${story}`, story, amountMinor: drawn.int(10, 900) * 100, twin: drawn.happens(0.35) ? drawn.pick(['same_api', 'other_api'] as const) : 'none',
    api: drawn.happens(0.5) ? 0 : 1, way: drawn.happens(0.5) ? 'http' : 'client', isVoidable: drawn.happens(0.5), isReported: drawn.happens(0.15), pauseMs: drawn.int(0, 1500), aim: drawn.unit(),
  };
}
