import type { FaceName } from '../support/refund-faces.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { chance, deck } from './chance.ts';
import type { Chance } from './chance.ts';
import { faultDealer, spread } from './plan-faults.ts';
import type { FaultDealer, PlannedFault } from './plan-faults.ts';
import { planKills } from './plan-kills.ts';
import type { KillPlan } from './plan-kills.ts';
import { planStories } from './plan-payouts.ts';
import type { PayoutPlan } from './plan-payouts.ts';

/** One refund to ask for. */
export interface PlannedAsk {
  /** Minor units; `null` for all that remains. */
  readonly amountMinor: number | null;
  /** Whether it is posted twice at once, and where the second post goes. */
  readonly twin: 'none' | 'same_api' | 'other_api';
  readonly api: 0 | 1;
}

/**
 * What else is done to an order's refund. `cancel_race`: a cancel at the end of its cancellation window. `approve`, `reject`, `cancel`: while it
 * is in review. `reject_race`: a second person's no and a cancel at once.
 */
export type Steering = 'none' | 'cancel_race' | 'approve' | 'reject' | 'cancel' | 'reject_race';

/** An order or payment, and the refunds asked of it, all at once. */
export interface OrderPlan {
  readonly name: string;
  readonly face: FaceName;
  /**
   * `lone`: one refund. `equals`: equal parts of one charge. `split`: all of several charges. `rivals`: two that cannot both be had. `steered`: of the
   * merchant whose refunds stop before they are sent.
   */
  readonly shape: 'lone' | 'equals' | 'split' | 'rivals' | 'steered';
  readonly chargesMinor: readonly number[];
  readonly asks: readonly PlannedAsk[];
  readonly steering: Steering;
  readonly way: 'http' | 'client';
  /** Of the first charge, the last fault of the last one. */
  readonly faults: readonly (PlannedFault & { readonly charge: number })[];
  /** From 0 to 1, for what is aimed at play. */
  readonly aim: number;
}

/** All that one run does. */
export interface ChaosPlan {
  readonly orders: readonly OrderPlan[];
  readonly payouts: readonly PayoutPlan[];
  readonly kills: KillPlan;
}

/** From this amount on a refund of the second merchant needs a second person, minor units. */
export const REVIEW_THRESHOLD_MINOR = 50_000;

/** The part of the faults that meets refunds, for each refund or payout order. */
const REFUND_WEIGHT = 1.25;

type Shape = OrderPlan['shape'];
const SHAPES: readonly Shape[] = ['lone', 'lone', 'lone', 'lone', 'lone', 'lone', 'equals', 'split', 'rivals', 'rivals', 'steered', 'steered', 'steered', 'steered', 'steered'];
const ASKS: Readonly<Record<Shape, number>> = { lone: 1, equals: 3, split: 1, rivals: 2, steered: 1 };
const STEERINGS: readonly Steering[] = ['cancel_race', 'cancel_race', 'cancel_race', 'approve', 'reject', 'cancel', 'reject_race', 'reject_race'];

/** Plans a run. Pure: the same options plan the same run, and fewer operations are the first ones of more, where the faults are in proportion. */
export function planChaos(options: ChaosOptions, seed = options.seed): ChaosPlan {
  const bare = planOrders(chance(seed, 'orders'), options.refunds);
  const weight = options.refunds * REFUND_WEIGHT;
  const ofRefunds = Math.round((options.faults * weight) / (weight + options.payouts));
  const dealer = faultDealer(chance(seed, 'faults of refunds'));
  const counts = spread(ofRefunds, bare.length);
  return {
    orders: bare.map((order, index) => ({ ...order, faults: faultsOf(dealer, order, counts[index] ?? 0) })),
    payouts: planStories(seed, options.payouts, options.faults - ofRefunds),
    kills: planKills(seed, options.workerKills, options.serverKills),
  };
}

function planOrders(drawn: Chance, refunds: number): readonly Omit<OrderPlan, 'faults'>[] {
  const shapes = deck(drawn, SHAPES);
  const steerings = deck(drawn, STEERINGS);
  const orders: Omit<OrderPlan, 'faults'>[] = [];
  for (let left = refunds; left > 0;) {
    const drawnShape = shapes();
    const shape = ASKS[drawnShape] > left ? 'lone' : drawnShape;
    const order = planOrder(drawn, shape, shape === 'steered' ? steerings() : 'none', orders.length);
    orders.push(order);
    left -= order.asks.length;
  }
  return orders;
}

function planOrder(drawn: Chance, shape: Shape, steering: Steering, index: number): Omit<OrderPlan, 'faults'> {
  const face: FaceName = shape === 'split' || drawn.happens(0.5) ? 'conekta' : 'gateway';
  // Whole hundreds: none is a magic amount of the sandbox.
  const partMinor = drawn.int(10, 300) * 100;
  const inReview = steering !== 'none' && steering !== 'cancel_race';
  const ask = (amountMinor: number | null): PlannedAsk => ({ amountMinor, twin: drawn.happens(0.35) ? drawn.pick(['same_api', 'other_api'] as const) : 'none', api: drawn.happens(0.5) ? 0 : 1 });
  const of: Readonly<Record<Shape, () => { readonly chargesMinor: readonly number[]; readonly asks: readonly PlannedAsk[] }>> = {
    lone: () => ({ chargesMinor: [partMinor * 4], asks: [ask(drawn.happens(0.4) ? null : partMinor)] }),
    equals: () => ({ chargesMinor: [partMinor * 4], asks: [ask(partMinor), ask(partMinor), ask(partMinor)] }),
    split: () => ({ chargesMinor: [partMinor, partMinor + 100, ...(drawn.happens(0.3) ? [partMinor + 200] : [])], asks: [ask(null)] }),
    rivals: () => ({ chargesMinor: [partMinor * 3], asks: [ask(partMinor * 2), ask(partMinor * 2 + 100)] }),
    steered: () => ({ chargesMinor: [REVIEW_THRESHOLD_MINOR * 3], asks: [ask(inReview ? REVIEW_THRESHOLD_MINOR + partMinor : partMinor)] }),
  };
  return { name: `order ${index}: ${face} ${shape}${steering === 'none' ? '' : ` ${steering}`}`, face, shape, steering, way: drawn.happens(0.5) ? 'http' : 'client', aim: drawn.unit(), ...of[shape]() };
}

function faultsOf(dealer: FaultDealer, { chargesMinor, asks }: Pick<OrderPlan, 'chargesMinor' | 'asks'>, count: number): OrderPlan['faults'] {
  return dealer.ofOrder(count, asks.length).map((fault, index) => ({ ...fault, charge: index % chargesMinor.length }));
}
