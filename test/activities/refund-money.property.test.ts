import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import { IDEMPOTENCY_CAPABILITIES, type IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import {
  ACCEPT, ACCEPT_FAILED, ACCEPT_LATER, ACCEPT_ON_ITS_WAY, createFakeProvider, DECLINE, DECLINE_AFTER_LATE_COMMIT, DECLINE_NOTHING_LEFT, DIE_AFTER, DIE_BEFORE, EMPTY_SUCCESS,
  LATE_COMMIT, LOST_AFTER, LOST_AFTER_ACCEPT, LOST_BEFORE, NOT_SENT, type RefundScript,
} from '../support/fake-provider.ts';
import { booked, interrupted, letCallsEnd, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';
import { sendOnceLoop, type Ending } from './send-loop.ts';

const AMOUNT_MINOR = 1_000;
/** Runs by capability; `balance` is the hard one. */
const RUNS = { balance: 30, key: 15, reference: 15, none: 15 } as const satisfies Record<IdempotencyCapability, number>;
/** Fooling a naive sender takes a rare script; the search ends with the first that does. */
const NAIVE_RUNS = 500;
/** Some thousand transactions: slow on a busy machine. */
const TIMEOUT_MS = 180_000;

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const SCRIPTS = {
  accept: ACCEPT, decline: DECLINE, declineAfterLate: DECLINE_AFTER_LATE_COMMIT, notSent: NOT_SENT, lostBefore: LOST_BEFORE, lostAfter: LOST_AFTER,
  late: LATE_COMMIT, empty: EMPTY_SUCCESS, dieBefore: DIE_BEFORE, dieAfter: DIE_AFTER, declineNothingLeft: DECLINE_NOTHING_LEFT,
  acceptLater: ACCEPT_LATER, acceptOnItsWay: ACCEPT_ON_ITS_WAY, acceptFailed: ACCEPT_FAILED, lostAfterAccept: LOST_AFTER_ACCEPT,
} as const satisfies Record<string, RefundScript>;

/** One send of a leg: how the provider answers, and whether and where the process dies in a transaction. */
interface Send {
  readonly script: keyof typeof SCRIPTS;
  readonly death: Death | null;
}

/** One leg: its sends, what becomes of a refund that was accepted and not done, and a refund of another amount made by hand before it. */
interface LegScript {
  readonly sends: readonly Send[];
  readonly fate: 'succeeded' | 'failed';
  readonly byHandMinor: number;
}

const death = fc.record({ transaction: fc.constantFrom(1, 2), moment: fc.constantFrom('before', 'inside', 'after') });
const send = fc.record({ script: fc.constantFrom(...(Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[])), death: fc.option(death, { freq: 3 }) });
/** As many lost requests as make the protocol give up; by chance alone they would be rare. */
const lost = fc.constant<readonly Send[]>(Array.from({ length: 3 }, () => ({ script: 'lostBefore', death: null })));
const sends = fc.oneof({ weight: 4, arbitrary: fc.array(send, { minLength: 1, maxLength: 3 }) }, { weight: 1, arbitrary: lost });
const leg = fc.record({ sends, fate: fc.constantFrom('succeeded', 'succeeded', 'failed'), byHandMinor: fc.constantFrom(0, 0, 1, 7) });
const legs = fc.array(leg, { minLength: 2, maxLength: 4 });

interface Ended {
  readonly scene: Scene;
  /** How the legs ended for the protocol, in order. */
  readonly endings: readonly Ending[];
  readonly byHandMinor: number;
}

/** The charge can bear all of them. */
function openCharge(script: readonly LegScript[], idempotency: IdempotencyCapability): Promise<Scene> {
  const charges = [{ chargeId: 'chg_1', amountMinor: script.length * AMOUNT_MINOR + 100 }];
  return openScene(db, charges, createFakeProvider(charges, idempotency));
}

/** Plays the legs of one charge, each when it has its turn, after a try out of turn. */
async function play(script: readonly LegScript[], idempotency: IdempotencyCapability): Promise<Ended> {
  const scene = await openCharge(script, idempotency);
  const inputs = [];
  for (const index of script.keys()) inputs.push(await reserveLeg(scene, `r${index}`, AMOUNT_MINOR));
  const endings: Ending[] = [];
  let byHandMinor = 0;
  for (const [index, leg] of script.entries()) {
    const [input, impatient] = [inputs[index], inputs[index + 1]];
    if (input === undefined) break;
    if (leg.byHandMinor > 0) scene.provider.refundByHand('chg_1', leg.byHandMinor);
    byHandMinor += leg.byHandMinor;
    await expectNoTurn(scene, impatient, 1);
    const ending = await sendLeg(scene, input, leg);
    endings.push(ending);
    // A leg that was given up keeps the turn until a human tells: nothing of this charge is sent (S5).
    if (ending.kind === 'gave_up') await expectNoTurn(scene, impatient, 2);
    await finish(scene, input, ending, leg);
  }
  return { scene, endings, byHandMinor };
}

/** A leg that is not the one whose turn it is sends nothing, where there are turns (S5). */
async function expectNoTurn({ refunds, provider }: Scene, impatient: SubmitRefundInput | undefined, sendNumber: number): Promise<void> {
  if (impatient === undefined || provider.adapter.idempotency !== 'balance') return;
  const before = provider.calls.submitRefund;
  await refunds.submitRefund({ ...impatient, sendNumber });
  expect(provider.calls.submitRefund).toBe(before);
}

function sendLeg(scene: Scene, input: SubmitRefundInput, leg: LegScript): Promise<Ending> {
  const planned = [...leg.sends];
  return sendOnceLoop(scene, input, {
    maxSends: 3,
    submit: (sent) => {
      const next = planned.shift() ?? { script: 'accept', death: null };
      scene.provider.refundScripts.splice(0, Infinity, SCRIPTS[next.script]);
      return (next.death === null ? scene : scene.on(interrupted(db, next.death))).refunds.submitRefund(sent);
    },
  });
}

/** The provider does what it accepted or put off; then it is followed (R6), or a human tells what was never known, and tells the truth (O2). */
async function finish(scene: Scene, input: SubmitRefundInput, ending: Ending, { fate }: LegScript): Promise<void> {
  const { provider, refunds } = scene;
  provider.commitLate();
  for (const { providerRefundId, state } of provider.orderAsIs().charges[0]?.refunds ?? []) {
    if (state === 'authorized' || state === 'approved') provider.setState(providerRefundId, fate);
  }
  if (ending.kind !== 'gave_up') {
    expect(ending.kind).not.toBe('stopped');
    await refunds.followRefund(input);
    return;
  }
  await letCallsEnd(scene);
  const known = await db.selectFrom('money_movements').select('provider_id').where('merchant_id', '=', scene.merchantId).execute();
  const moved = provider.journal.find((entry) => entry.amountMinor === AMOUNT_MINOR && known.every((row) => row.provider_id !== entry.providerRefundId));
  const resolution = moved === undefined ? { outcome: 'failed' as const } : { outcome: 'succeeded' as const, providerRefundId: moved.providerRefundId };
  expect(await refunds.resolveLeg({ ...input, actor: 'operator', reason: 'statement of the bank', resolution })).toMatchObject({ kind: 'settled' });
}

async function legStatuses({ merchantId }: Scene): Promise<readonly string[]> {
  return (await db.selectFrom('legs').select('status').where('merchant_id', '=', merchantId).execute()).map((row) => row.status);
}

describe('refunds of equal amount on one charge', () => {
  it.each(IDEMPOTENCY_CAPABILITIES)('should never move more than they are, and be booked exactly as a provider with `%s` moved them, whatever happens to up to three sends each (S1, I1, I2)', async (idempotency) => {
    const seen = { moved: 0, refused: 0, accepted: 0 };
    let gaveUp = 0;
    await fc.assert(fc.asyncProperty(legs, async (script) => {
      const { scene, endings, byHandMinor } = await play(script, idempotency);
      const movedMinor = scene.provider.movedMinor('chg_1') - byHandMinor;
      const statuses = await legStatuses(scene);
      const succeeded = statuses.filter((status) => status === 'succeeded').length;
      expect(movedMinor).toBeLessThanOrEqual(script.length * AMOUNT_MINOR);
      expect({ count: succeeded, totalMinor: movedMinor }).toEqual(await booked(scene));
      expect(statuses.filter((status) => status === 'refused')).toHaveLength(script.length - succeeded);
      seen.moved += succeeded;
      seen.refused += endings.filter((ending) => ending.kind === 'declined').length;
      seen.accepted += endings.filter((ending) => 'legStatus' in ending && (ending.legStatus === 'authorized' || ending.legStatus === 'approved')).length;
      gaveUp += endings.filter((ending) => ending.kind === 'gave_up').length;
    }), { numRuns: RUNS[idempotency], seed: 20_261_121 });
    // A property that never met one of the ends would prove nothing about it.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
    // With a key it is sent until the provider answers (S3).
    if (idempotency === 'key') expect(gaveUp).toBe(0);
    else expect(gaveUp).toBeGreaterThan(0);
  }, TIMEOUT_MS);

  it.each([
    ['plain retries', false],
    ['a look before each retry, without the settle delay', true],
  ])('should be paid twice by %s: this provider can be fooled', async (_, looks) => {
    const naive = fc.asyncProperty(leg, async (script) => {
      const scene = await openScene(db, [{ chargeId: 'chg_1', amountMinor: 1_000_000 }]);
      await payNaively(scene, 'r', script, looks);
      scene.provider.commitLate();
      expect(scene.provider.movedMinor('chg_1')).toBeLessThanOrEqual(AMOUNT_MINOR);
    });
    expect((await fc.check(naive, { numRuns: NAIVE_RUNS, endOnFailure: true })).failed).toBe(true);
  });
});

/** Retries a refund until the provider answers, up to three times, as a plain Activity with a retry policy would. */
async function payNaively({ provider, merchantId }: Scene, reference: string, leg: LegScript, looks: boolean): Promise<void> {
  const call = { credential: merchantId };
  const before = provider.journal.length;
  for (const { script } of leg.sends) {
    if (looks && (await provider.adapter.getOrder(call, 'ord_1')).charges[0]?.refunds.length !== before) return;
    provider.refundScripts.splice(0, Infinity, SCRIPTS[script]);
    const answered = await provider.adapter.submitRefund(call, { orderId: 'ord_1', chargeId: 'chg_1', amountMinor: AMOUNT_MINOR, currency: 'MXN', reference }).then(() => true, () => false);
    if (answered) return;
  }
}
