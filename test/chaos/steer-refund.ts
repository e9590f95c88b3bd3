import { setTimeout as delay } from 'node:timers/promises';
import { ActRefusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import type { RefundView } from '../../src/client/reintegro-client.ts';
import { call } from '../support/http-call.ts';
import type { FaceName } from '../support/refund-faces.ts';
import { MERCHANT_IDS } from './chaos-callers.ts';
import type { Callers } from './chaos-callers.ts';
import type { OrderPlan, Steering } from './chaos-plan.ts';
import { evenAim } from '../support/even-aim.ts';
import type { EvenAim } from '../support/even-aim.ts';
import type { StopWatch } from './stops.ts';

/** How long a refund of the stopping merchant may be called off before it is sent, milliseconds. */
export const CANCELLATION_WINDOW_MS = 2500;

const OPERATOR = { actor: 'operator_chaos', reason: 'looked at by the fault rig' };
const MERCHANT_ID = MERCHANT_IDS.stopping;
const PATIENCE_MS = 240_000;
const PAUSE_MS = 500;
/** How long an act is waited for before it is asked for again, milliseconds. */
const WAIT_MS = 4000;

/** What somebody was told who wanted to cancel or to decide. `overtaken`: something else came first. */
export interface ToldAct {
  readonly act: 'cancel' | 'approve' | 'reject';
  readonly says: 'done' | 'overtaken';
}

/** A refund that has stopped before its sending. */
export interface StoppedRefund {
  readonly face: FaceName;
  readonly orderId: string;
  readonly refundId: string;
}

/** Who steers refunds: aims that follow what wins are kept for the whole run. */
export type Steerer = ReturnType<typeof refundSteerer>;

/**
 * Makes it. The races begin when both sides can win, and a bit in favour of the side that moves money or decides: where both come to a worker that is only
 * starting, the cancel comes first.
 */
export function refundSteerer(callers: Callers, stopped: StopWatch) {
  const aims: Readonly<Record<'cancel_race' | 'reject_race', EvenAim>> = { cancel_race: evenAim(700, 1000), reject_race: evenAim(600, 800) };
  const stories: Readonly<Record<Exclude<Steering, 'none'>, (refund: StoppedRefund, plan: OrderPlan) => Promise<readonly ToldAct[]>>> = {
    approve: async (refund) => [await decide(callers, refund, 'approve')],
    reject: async (refund) => [await decide(callers, refund, 'reject')],
    cancel: async (refund, { way }) => [await cancel(callers, refund, way)],
    cancel_race: async (refund, { way, aim }) => {
      const sentAt = (await stopped(refund.refundId, 'deferred')) + CANCELLATION_WINDOW_MS;
      await delay(Math.max(0, sentAt + aims.cancel_race.ms(aim) - Date.now()));
      const told = await cancel(callers, refund, way);
      aims.cancel_race.learn(told.says === 'done');
      return [told];
    },
    reject_race: async (refund, { way, aim }) => {
      await stopped(refund.refundId, 'review');
      const offMs = aims.reject_race.ms(aim);
      const [rejected, cancelled] = await Promise.all([
        delay(Math.max(0, -offMs)).then(() => decide(callers, refund, 'reject')), delay(Math.max(0, offMs)).then(() => cancel(callers, refund, way)),
      ]);
      aims.reject_race.learn(cancelled.says === 'done');
      return [rejected, cancelled];
    },
  };
  return (steering: Exclude<Steering, 'none'>, refund: StoppedRefund, plan: OrderPlan): Promise<readonly ToldAct[]> => stories[steering](refund, plan);
}

/** Repeats an act until it is known what became of it. `null`: not known yet. */
async function untilKnown(what: string, act: () => Promise<ToldAct['says'] | null>): Promise<ToldAct['says']> {
  for (const giveUpAt = Date.now() + PATIENCE_MS; ;) {
    const says = await act();
    if (says !== null) return says;
    if (Date.now() > giveUpAt) throw new Error(`${what}: not known for ${PATIENCE_MS / 1000} s`);
    await delay(PAUSE_MS);
  }
}

async function cancel(callers: Callers, refund: StoppedRefund, way: OrderPlan['way']): Promise<ToldAct> {
  const says = await untilKnown(`cancel of ${refund.refundId}`, () => (way === 'http' ? cancelByHttp(callers, refund) : actByClient(callers, refund, 'cancel')));
  return { act: 'cancel', says };
}

/** By the address that the face has for it; 404 as long as it is not on record. */
async function cancelByHttp(callers: Callers, { face, orderId, refundId }: StoppedRefund): Promise<ToldAct['says'] | null> {
  const path = face === 'conekta' ? `/orders/${orderId}/refunds/${refundId}` : `/api/v2/pagos/devolucion/${orderId}?refund_id=${refundId}`;
  const { status, text } = await callers.persist('a cancel', 0, (url) => call('DELETE', `${url}${path}`, { key: callers.keyOf('stopping') }));
  if (status === 200) return 'done';
  if (status === 428) return 'overtaken';
  if (status === 202 || status === 404) return null;
  throw new Error(`a cancel was answered ${status}: ${text}`);
}

async function decide(callers: Callers, refund: StoppedRefund, act: 'approve' | 'reject'): Promise<ToldAct> {
  return { act, says: await untilKnown(`${act} of ${refund.refundId}`, () => actByClient(callers, refund, act)) };
}

async function actByClient(callers: Callers, refund: StoppedRefund, act: ToldAct['act']): Promise<ToldAct['says'] | null> {
  const { client } = callers;
  const { refundId } = refund;
  const options = { waitMs: WAIT_MS };
  try {
    const view = await (act === 'cancel' ? client.cancelRefund(MERCHANT_ID, refundId, OPERATOR.actor, options)
      : act === 'approve' ? client.approveRefund(MERCHANT_ID, refundId, OPERATOR, options) : client.rejectRefund(MERCHANT_ID, refundId, OPERATOR, options));
    return view === null ? null : saysOf(act, view);
  } catch (error) {
    // It is over: how, the API knows. Our own act may be why, if its answer was lost.
    if (error instanceof NotRunningError) return act === 'cancel' ? cancelByHttp(callers, refund) : 'overtaken';
    return saysOfRefusal(act, error);
  }
}

function saysOf(act: ToldAct['act'], { status }: Pick<RefundView, 'status'>): ToldAct['says'] | null {
  if (act === 'cancel') return status === 'cancelled' ? 'done' : null;
  if (act === 'reject') return status === 'rejected' ? 'done' : 'overtaken';
  return status === 'cancelled' || status === 'dismissed' ? 'overtaken' : 'done';
}

function saysOfRefusal(act: ToldAct['act'], error: unknown): ToldAct['says'] | null {
  if (error instanceof TemporalUnavailableError) return null;
  if (error instanceof NotCancellableError) return error.view?.status === 'cancelled' ? 'done' : 'overtaken';
  // Not there yet, or past it.
  if (error instanceof ActRefusedError && error.why === 'not_awaited') return error.view?.status === 'pending' ? null : 'overtaken';
  if (error instanceof ActRefusedError && error.why === 'overtaken') return act === 'cancel' ? null : 'overtaken';
  throw error;
}
