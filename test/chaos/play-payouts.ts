import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { derivePayoutOrderId } from '../../src/client/identifiers.ts';
import { call } from '../support/http-call.ts';
import type { Answer } from '../support/http-call.ts';
import { MERCHANT_IDS } from './chaos-callers.ts';
import type { Callers } from './chaos-callers.ts';
import { evenAim } from '../support/even-aim.ts';
import type { EvenAim } from '../support/even-aim.ts';
import type { PayoutPlan, Story } from './plan-payouts.ts';
import type { ArmedFault } from './play-refunds.ts';

/** How long a withdrawal may be reversed, the same for the provider and for us, seconds. */
export const WINDOW_SECONDS = 8;
/** How long a payout order lives that nobody is to collect, milliseconds. */
const LIFE_MS = 20_000;
const FAR_AHEAD = 4_000_000_000;
const MERCHANT_ID = MERCHANT_IDS.plain;
/** How long the reference is waited for before anybody wants to collect or to cancel it, milliseconds. */
const ISSUE_PATIENCE_MS = 90_000;
const PATIENCE_MS = 240_000;
/** Between two looks, and between two cancels without a verdict, milliseconds: who asks more often only keeps the machine busy. */
const PAUSE_MS = 1000;

/** What may be done at the till, and reported by a rail. */
type RailAct = 'withdrawal' | 'confirmation' | 'reversal';

/** What somebody was told who acted on a payout order. `lost`: the till did not answer, and may have done it. */
export interface ToldOfPayout {
  readonly act: 'cancel' | RailAct;
  readonly says: 'done' | 'refused' | 'lost';
}

/** A payout order as it was played. */
export interface PlayedPayout {
  readonly planned: PayoutPlan;
  readonly payoutOrderId: string;
  /** The first answer that says anything, and that of the second post of the same. */
  readonly answer: Answer;
  readonly twin: Answer | null;
  readonly expiresAt: number;
  readonly told: readonly ToldOfPayout[];
  readonly armed: readonly ArmedFault[];
}

/** One payout order on the stage of its story. */
interface Scene {
  readonly callers: Callers;
  readonly planned: PayoutPlan;
  readonly id: string;
  readonly aims: Aims;
}

/** Aims of the races, for the whole run. */
export type Aims = Readonly<Record<'cancel_race' | 'rail_race', EvenAim>>;

/** Makes them: a cancel is longer on its way to the provider than what happens at the till. */
export function payoutAims(): Aims {
  return { cancel_race: evenAim(150, 150), rail_race: evenAim(0, 10) };
}

/** Plays one payout order: its faults are armed, it is created, and once its reference is issued its story is played. `nth` makes its key its own. */
export async function playPayout(callers: Callers, aims: Aims, planned: PayoutPlan, nth: number): Promise<PlayedPayout> {
  const idempotencyKey = `chaos-payout-${nth}`;
  const payoutOrderId = derivePayoutOrderId(MERCHANT_ID, idempotencyKey);
  const armed: ArmedFault[] = [];
  for (const fault of planned.faults) armed.push({ id: await callers.arm(fault, { payout_id: payoutOrderId }), fault });
  const expiresAt = planned.story === 'expire' ? Math.ceil((Date.now() + LIFE_MS) / 1000) : FAR_AHEAD;
  const body = payoutBody(planned.amountMinor, expiresAt);
  const post = (api: number): Promise<Answer> => callers.persist('a payout order', api, (url) => call('POST', `${url}/payout_orders`, { key: callers.keyOf('plain'), idempotencyKey, body }));
  const [answer, twin] = await Promise.all([post(planned.api), planned.twin === 'none' ? null : post(planned.twin === 'same_api' ? planned.api : 1 - planned.api)]);
  const scene: Scene = { callers, planned, id: payoutOrderId, aims };
  const isActedOn = planned.story !== 'leave' && planned.story !== 'expire' && answer.status < 300 && await isIssued(scene);
  return { planned, payoutOrderId, answer, twin, expiresAt, armed, told: isActedOn ? await PLAY[planned.story](scene) : [] };
}

function payoutBody(amountMinor: number, expiresAt: number): object {
  return {
    allowed_payout_methods: ['cash'], amount: amountMinor, currency: 'MXN', customer_info: { customer_id: 'cus_chaos' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: expiresAt,
  };
}

/** Waits for the reference. False when none is issued in time, or for good. */
async function isIssued({ callers, id }: Scene): Promise<boolean> {
  for (const giveUpAt = Date.now() + ISSUE_PATIENCE_MS; Date.now() < giveUpAt;) {
    const answer = await callers.persist('a payout order read', 0, (url) => call('GET', `${url}/payout_orders/${id}`, { key: callers.keyOf('plain') }));
    if (answer.status === 200 && z.object({ status: z.string() }).parse(answer.body).status !== 'open') return true;
    await delay(PAUSE_MS);
  }
  return false;
}

const PLAY: Readonly<Record<Story, (scene: Scene) => Promise<readonly ToldOfPayout[]>>> = {
  leave: async () => [],
  expire: async () => [],
  cancel: async (scene) => [await cancel(scene)],
  confirm: (scene) => inTurn(scene, ['withdrawal', 'confirmation']),
  reverse: (scene) => inTurn(scene, ['withdrawal', 'reversal']),
  window: (scene) => inTurn(scene, ['withdrawal']),
  withdraw_cancel: async (scene) => [...await inTurn(scene, ['withdrawal']), await cancel(scene)],
  cancel_race: async (scene) => {
    const offMs = scene.aims.cancel_race.ms(scene.planned.aim);
    // The withdrawal is the side that is aimed.
    const [withdrawn, cancelled] = await Promise.all([
      delay(Math.max(0, offMs)).then(() => atTill(scene, 'withdrawal')), delay(Math.max(0, -offMs)).then(() => cancel(scene)),
    ]);
    scene.aims.cancel_race.learn(cancelled.says === 'refused');
    return [withdrawn, cancelled];
  },
  rail_race: async (scene) => {
    const withdrawn = await atTill(scene, 'withdrawal');
    const offMs = scene.aims.rail_race.ms(scene.planned.aim);
    const [confirmed, reversed] = await Promise.all([
      delay(Math.max(0, offMs)).then(() => atTill(scene, 'confirmation')), delay(Math.max(0, -offMs)).then(() => atTill(scene, 'reversal')),
    ]);
    return [withdrawn, confirmed, reversed];
  },
};

async function inTurn(scene: Scene, acts: readonly RailAct[]): Promise<readonly ToldOfPayout[]> {
  const told: ToldOfPayout[] = [];
  for (const act of acts) {
    told.push(await atTill(scene, act));
    await delay(scene.planned.pauseMs);
  }
  return told;
}

/** Acts at the till; what was done is reported where no webhook may tell it. An act whose answer was lost is not repeated: it may have been done. */
async function atTill({ callers, planned, id }: Scene, act: RailAct): Promise<ToldOfPayout> {
  const body = act === 'withdrawal' ? { voidable: planned.isVoidable } : {};
  let answer: Answer;
  try {
    answer = await call('POST', `${callers.sandboxUrl}/sandbox/payout_orders/${id}/${act}`, { body });
  } catch {
    // The till was killed, or is not there yet: the next one who tries is told.
    return { act, says: 'lost' };
  }
  if (answer.status !== 200 && answer.status !== 409) throw new Error(`${act} at the till was answered ${answer.status}: ${answer.text}`);
  if (answer.status === 200 && planned.isReported) await report(callers, id, act);
  return { act, says: answer.status === 200 ? 'done' : 'refused' };
}

/** Tells our API what the till did; 409 is the word that the records exclude it. */
async function report(callers: Callers, id: string, act: RailAct): Promise<void> {
  const answer = await callers.persist('a report of a rail', 0, (url) => call('POST', `${url}/v1/payout_orders/${id}/${act}`, { key: callers.keyOf('rail') }));
  if (![200, 202, 409].includes(answer.status)) throw new Error(`the report of a ${act} was answered ${answer.status}: ${answer.text}`);
}

/** Asks to cancel until the verdict is known. */
async function cancel(scene: Scene): Promise<ToldOfPayout> {
  for (const giveUpAt = Date.now() + PATIENCE_MS; ;) {
    const says = await (scene.planned.way === 'http' ? cancelByHttp(scene) : cancelByClient(scene));
    if (says !== null) return { act: 'cancel', says };
    if (Date.now() > giveUpAt) throw new Error(`${scene.planned.name}: no verdict on a cancel for ${PATIENCE_MS / 1000} s`);
    await delay(PAUSE_MS);
  }
}

async function cancelByHttp({ callers, id }: Scene): Promise<'done' | 'refused' | null> {
  const { status, text } = await callers.persist('a cancel', 0, (url) => call('PUT', `${url}/payout_orders/${id}/cancel`, { key: callers.keyOf('plain') }));
  if (status === 200) return 'done';
  if (status === 428) return 'refused';
  if (status === 202) return null;
  throw new Error(`a cancel was answered ${status}: ${text}`);
}

async function cancelByClient(scene: Scene): Promise<'done' | 'refused' | null> {
  try {
    const view = await scene.callers.client.cancelPayoutOrder(MERCHANT_ID, scene.id, 'chaos', { waitMs: 4000 });
    return view?.status === 'cancelled' ? 'done' : null;
  } catch (error) {
    if (error instanceof NotCancellableError) return error.view?.status === 'cancelled' ? 'done' : 'refused';
    if (error instanceof TemporalUnavailableError) return null;
    // It is over: how, the API knows.
    if (error instanceof NotRunningError) return cancelByHttp(scene);
    throw error;
  }
}
