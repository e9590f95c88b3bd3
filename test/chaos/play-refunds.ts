import { setTimeout as delay } from 'node:timers/promises';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import type { RefundAnswer } from '../support/refund-faces.ts';
import { MERCHANT_IDS } from './chaos-callers.ts';
import type { Callers, MerchantName } from './chaos-callers.ts';
import type { OrderPlan, PlannedAsk } from './chaos-plan.ts';
import type { PlannedFault } from './plan-faults.ts';
import type { Steerer, ToldAct } from './steer-refund.ts';

/** A fault that was armed, by the id the sandbox gave it. */
export interface ArmedFault {
  readonly id: number;
  readonly fault: PlannedFault;
}

/** A refund that was asked for, and how its caller was answered. */
export interface PlayedAsk {
  readonly planned: PlannedAsk;
  readonly refundId: string;
  /** The first answer that says anything. */
  readonly answer: RefundAnswer;
  /** The answer to the second post of the same. */
  readonly twin: RefundAnswer | null;
  readonly told: readonly ToldAct[];
  /** The same request once more, with its key. */
  readonly askAgain: () => Promise<RefundAnswer>;
}

/** An order as it was played. */
export interface PlayedOrder {
  readonly planned: OrderPlan;
  readonly merchant: MerchantName;
  readonly orderId: string;
  readonly chargeIds: readonly string[];
  readonly asks: readonly PlayedAsk[];
  readonly armed: readonly ArmedFault[];
}

/** Who plays orders: what is kept for the whole run. */
export interface OrderPlayers {
  readonly callers: Callers;
  readonly steer: Steerer;
}

/** How far apart two refunds are asked for that cannot both be had, milliseconds. */
const RIVALS_APART_MS = 60;

/** Plays one order: it is paid, its faults are armed, its refunds are asked for all at once, and steered. `nth` makes its keys its own. */
export async function playOrder({ callers, steer }: OrderPlayers, planned: OrderPlan, nth: number): Promise<PlayedOrder> {
  const merchant: MerchantName = planned.shape === 'steered' ? 'stopping' : 'plain';
  const { orderId, chargeIds } = await callers.pay(planned.face, merchant, planned.chargesMinor, nth);
  const armed: ArmedFault[] = [];
  for (const { charge, ...fault } of planned.faults) armed.push({ id: await callers.arm(fault, { charge_id: chargeIds[charge] ?? '' }), fault });
  // Either may come first: a fault of the read that both make meets whoever does, so that an aim that followed what wins would run away.
  const offMs = planned.shape === 'rivals' ? (2 * planned.aim - 1) * RIVALS_APART_MS : 0;
  const asks = await Promise.all(planned.asks.map(async (ask, index) => {
    await delay(Math.max(0, index === 0 ? -offMs : offMs));
    return askRefund(callers, steer, { planned, merchant, orderId }, ask, `chaos-${nth}-${index}`);
  }));
  return { planned, merchant, orderId, chargeIds, asks, armed };
}

async function askRefund(callers: Callers, steer: Steerer, of: { readonly planned: OrderPlan; readonly merchant: MerchantName; readonly orderId: string }, ask: PlannedAsk, key: string): Promise<PlayedAsk> {
  const { planned, merchant, orderId } = of;
  const refundId = deriveRefundId(MERCHANT_IDS[merchant], orderId, key);
  const post = (api: number): Promise<RefundAnswer> => callers.refund({ face: planned.face, orderId, merchant }, ask.amountMinor, key, api);
  const [answer, twin] = await Promise.all([post(ask.api), ask.twin === 'none' ? null : post(ask.twin === 'same_api' ? ask.api : 1 - ask.api)]);
  const told = planned.steering === 'none' ? [] : await steer(planned.steering, { face: planned.face, orderId, refundId }, planned);
  return { planned: ask, refundId, answer, twin, told, askAgain: () => post(ask.api) };
}
