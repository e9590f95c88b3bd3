import { isRefusedForAmount } from './evidence.ts';
import type { ChaosOrderEvidence, PayoutEvidence } from './evidence.ts';

/** Who won how often, by kind of race and side. Ends that are neither's, such as a case, are not counted. */
export type RaceTally = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The races of a run, with both sides of each; a tally of none is one of zeros. */
const SIDES = {
  'cancel × send of a deferred refund': ['cancel', 'send'],
  'cancel × rejection of a refund in review': ['cancel', 'rejection'],
  'cancel × withdrawal of a payout order': ['cancel', 'withdrawal'],
  'confirmation × reversal of a withdrawal': ['confirmation', 'reversal'],
  'two refunds of which one is too much': ['first', 'second'],
} as const;

/** Counts who won. Pure. */
export function tallyRaces(orders: readonly ChaosOrderEvidence[], payouts: readonly PayoutEvidence[]): RaceTally {
  const tally = Object.fromEntries(Object.entries(SIDES).map(([name, sides]) => [name, Object.fromEntries(sides.map((side) => [side, 0]))])) as Record<string, Record<string, number>>;
  const win = (name: keyof typeof SIDES, side: string | null): void => {
    const sides = tally[name];
    if (side !== null && sides !== undefined) sides[side] = (sides[side] ?? 0) + 1;
  };
  for (const { planned, refunds } of orders) {
    const first = refunds[0]?.status;
    if (planned.steering === 'cancel_race') win('cancel × send of a deferred refund', first === 'cancelled' ? 'cancel' : first === 'refunded' || first === 'rejected' ? 'send' : null);
    if (planned.steering === 'reject_race') win('cancel × rejection of a refund in review', first === 'cancelled' ? 'cancel' : first === 'rejected' ? 'rejection' : null);
    if (planned.shape === 'rivals') win('two refunds of which one is too much', rivalThatWon(refunds));
  }
  for (const { played, record } of payouts) {
    const { story } = played.planned;
    const status = record?.status;
    if (story === 'cancel_race') win('cancel × withdrawal of a payout order', status === 'cancelled' ? 'cancel' : status === 'withdrawn' ? 'withdrawal' : null);
    if (story === 'rail_race') win('confirmation × reversal of a withdrawal', status === 'withdrawn' ? 'confirmation' : status === 'reversed' ? 'reversal' : null);
  }
  return tally;
}

/** Who got what the other was then refused for; `null` when both were, or neither. */
function rivalThatWon([first, second]: ChaosOrderEvidence['refunds']): 'first' | 'second' | null {
  if (first === undefined || second === undefined || isRefusedForAmount(first) === isRefusedForAmount(second)) return null;
  return isRefusedForAmount(second) ? 'first' : 'second';
}

/** Adds the tallies of several runs. */
export function addTallies(tallies: readonly RaceTally[]): RaceTally {
  const sum: Record<string, Record<string, number>> = {};
  for (const [name, sides] of tallies.flatMap((tally) => Object.entries(tally))) {
    const total = (sum[name] ??= {});
    for (const [side, wins] of Object.entries(sides)) total[side] = (total[side] ?? 0) + wins;
  }
  return sum;
}
