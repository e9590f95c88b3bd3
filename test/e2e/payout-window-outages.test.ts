import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../support/http-call.ts';
import type { Product } from '../support/product.ts';
import { orLost, PATIENCE, untilAnswered } from './merchant-backend.ts';
import {
  atTill, countedWindow, expectPath, issued, leaveVoidUnanswered, loseWebhooks, untilMoment, untilVoidsAreOut, WINDOW_SECONDS, windowStage, withdraw,
} from './payout-window-stage.ts';
import type { WindowStage } from './payout-window-stage.ts';

const stage: WindowStage | null = await windowStage();
afterAll(() => stage?.stop());

/** What is killed with -9 inside the window, and how it comes back. */
interface Outage {
  readonly killed: string;
  readonly isWorkerKilled: boolean;
  /** Whether it comes back only when the window is over. */
  readonly outlastsWindow: boolean;
  readonly kill9: (product: Product) => Promise<unknown>;
  readonly comeBack: (product: Product) => Promise<unknown>;
}

const killWorkers = (product: Product): Promise<unknown> => Promise.all(product.workers.map(({ program }) => program.kill9()));
const startWorkers = (product: Product): Promise<unknown> => Promise.all(product.workers.map((worker) => worker.restart()));

const OUTAGES: readonly Outage[] = [
  { killed: 'the worker', isWorkerKilled: true, outlastsWindow: true, kill9: killWorkers, comeBack: startWorkers },
  {
    killed: 'the Temporal server', isWorkerKilled: false, outlastsWindow: false,
    kill9: (product) => product.temporal.kill9(), comeBack: (product) => product.restartTemporal(),
  },
  {
    killed: 'worker and Temporal server', isWorkerKilled: true, outlastsWindow: true,
    kill9: (product) => Promise.all([killWorkers(product), product.temporal.kill9()]),
    comeBack: async (product) => {
      await product.restartTemporal();
      await startWorkers(product);
    },
  },
];

/** The payout orders that live through an outage, by what happens to them in it; and when it was, unix milliseconds. */
interface Lived {
  /** Its withdrawal had begun; its window ends. */
  readonly kept: string;
  /** Their withdrawals had begun; the till takes them back, announced or not. */
  readonly reversed: string;
  readonly reversedUnheard: string;
  /** Nobody had collected it; its withdrawal begins a second before it expires. */
  readonly lastSecond: string;
  /** Nobody ever collects it. */
  readonly uncollected: string;
  /** Their withdrawals had begun, the cash was not out, and a cancellation was on its way: executed, or not. Where the worker is killed. */
  readonly voided: string;
  readonly notVoided: string;
  readonly inTheMiddle: readonly (Answer | 'connection lost')[];
  readonly killedAtMs: number;
  readonly backAtMs: number;
}

/** Leads payout orders into an outage, and out of it again. */
async function liveThrough(on: WindowStage, outage: Outage): Promise<Lived> {
  const [kept, reversed, reversedUnheard, voided, notVoided] = await Promise.all([issued(on), issued(on), issued(on), issued(on), issued(on)]);
  const expiresAt = Math.ceil(Date.now() / 1000) + 5;
  const [lastSecond, uncollected] = await Promise.all([issued(on, expiresAt), issued(on, expiresAt)]);
  await Promise.all([withdraw(on, kept), withdraw(on, reversed), withdraw(on, reversedUnheard), withdraw(on, voided, true), withdraw(on, notVoided, true)]);
  for (const id of [kept, reversedUnheard, lastSecond, uncollected]) await loseWebhooks(on, id);
  const cancelling = outage.isWorkerKilled ? await cancelWithoutAnswer(on, voided, notVoided) : [];

  await outage.kill9(on.product);
  const killedAtMs = Date.now();
  try {
    for (const id of [reversed, reversedUnheard]) await atTill(on, id, 'reversal');
    await untilMoment(expiresAt * 1000 - 1000);
    await atTill(on, lastSecond, 'withdrawal');
    if (outage.outlastsWindow) await untilOverUnnoticed(on, kept, expiresAt);
  } finally {
    await outage.comeBack(on.product);
  }
  const backAtMs = Date.now();
  return { kept, reversed, reversedUnheard, lastSecond, uncollected, voided, notVoided, inTheMiddle: await Promise.all(cancelling), killedAtMs, backAtMs };
}

/** Asks for cancellations that the provider takes and does not answer. */
async function cancelWithoutAnswer(on: WindowStage, voided: string, notVoided: string): Promise<readonly Promise<Answer | 'connection lost'>[]> {
  await leaveVoidUnanswered(on, voided, 'timeout');
  await leaveVoidUnanswered(on, notVoided, 'hang');
  const cancelling = [voided, notVoided].map((id) => orLost(on.backend.cancelPayoutOrder(id)));
  await untilVoidsAreOut(on);
  return cancelling;
}

/** Waits until window and expiry are over at the provider. With nobody running, the records stand still. */
async function untilOverUnnoticed({ provider, backend }: WindowStage, kept: string, expiresAt: number): Promise<void> {
  await vi.waitFor(async () => expect(await provider.journal({ payoutOrderId: kept })).toHaveLength(1), PATIENCE);
  await untilMoment(expiresAt * 1000);
  expect(await backend.payoutOrder(kept)).toMatchObject({ status: 'pending_confirmation' });
  expect(await backend.books({ payoutOrderId: kept })).toEqual([]);
}

describe.skipIf(stage === null).each(OUTAGES)('payout orders when kill -9 ends $killed inside the window', (outage) => {
  let lived: Lived;
  const on = (): WindowStage => stage ?? expect.unreachable('there is no stage');
  beforeAll(async () => { lived = await liveThrough(on(), outage); });

  it('should be withdrawn once when the window is over, and count no window anew (P2, I1, I2)', async () => {
    await expectPath(on(), lived.kept, ['open', 'pending', 'pending_confirmation', 'withdrawn']);
    const { timers, dueMs, begunMs, endedMs } = await countedWindow(on(), lived.kept);
    const windowMs = WINDOW_SECONDS * 1000;
    expect(timers).toBe(1);
    // Counted from the withdrawal, which was before the outage: neither shorter nor longer for it.
    expect(dueMs).toBeGreaterThanOrEqual(begunMs + windowMs);
    expect(dueMs).toBeLessThan(lived.killedAtMs + windowMs);
    expect(endedMs).toBeGreaterThanOrEqual(dueMs);
    expect(endedMs).toBeLessThan(Math.max(lived.backAtMs, dueMs) + windowMs);
  });

  it.each([['which is announced', 'reversed'], ['of which nobody hears', 'reversedUnheard']] as const)('should be reversed after a reversal %s, with no money moved (P2, P6, I1, I2)', async (_, name) => {
    await expectPath(on(), lived[name], ['open', 'pending', 'pending_confirmation', 'reversed']);
  });

  it('should not expire when its withdrawal began a second before, and the expiry found nobody (P2, P3)', async () => {
    await expectPath(on(), lived.lastSecond, ['open', 'pending', 'pending_confirmation', 'withdrawn']);
  });

  it('should expire when nobody collected it (P2)', async () => {
    await expectPath(on(), lived.uncollected, ['open', 'pending', 'expired']);
  });

  if (outage.isWorkerKilled) cancelledInTheMiddle(on, () => lived);
});

/** What becomes of cancellations that were with the provider when their worker was killed. */
function cancelledInTheMiddle(on: () => WindowStage, lived: () => Lived): void {
  it('should have one winner, and tell whoever asked to cancel in the middle of it the truth (P4, P5, I1, I2)', async () => {
    for (const answer of lived().inTheMiddle) {
      // Nobody could know: neither of them was told a guess.
      if (answer !== 'connection lost' && answer.status === 202) expect(answer.body).toMatchObject({ status: 'pending_confirmation' });
      else expect(answer).toMatchObject({ status: 503 });
    }
    const { voided, notVoided } = lived();
    expect(await untilAnswered(() => on().backend.cancelPayoutOrder(voided))).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await untilAnswered(() => on().backend.cancelPayoutOrder(notVoided))).toMatchObject({
      status: 428, body: { details: [{ code: 'conekta.errors.precondition_required.payout_order.is_withdrawn' }] },
    });
    await expectPath(on(), voided, ['open', 'pending', 'pending_confirmation', 'cancelled']);
    await expectPath(on(), notVoided, ['open', 'pending', 'pending_confirmation', 'withdrawn']);
  });
}
