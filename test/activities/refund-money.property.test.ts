import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import {
  ACCEPT, DECLINE, DECLINE_AFTER_LATE_COMMIT, DIE_AFTER, DIE_BEFORE, EMPTY_SUCCESS, LATE_COMMIT, LOST_AFTER, LOST_BEFORE, NOT_SENT, type RefundScript,
} from '../support/fake-provider.ts';
import { booked, interrupted, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';
import { sendOnceLoop, type Ending } from './send-loop.ts';

const AMOUNT_MINOR = 1_000;
const RUNS = 40;
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
  late: LATE_COMMIT, empty: EMPTY_SUCCESS, dieBefore: DIE_BEFORE, dieAfter: DIE_AFTER,
} as const satisfies Record<string, RefundScript>;

/** One send of a leg: how the provider answers, and whether and where the process dies in a transaction. */
interface Send {
  readonly script: keyof typeof SCRIPTS;
  readonly death: Death | null;
}

/** One leg: its sends, and a refund of another amount made by hand before it. */
interface LegScript {
  readonly sends: readonly Send[];
  readonly byHandMinor: number;
}

const death = fc.record({ transaction: fc.constantFrom(1, 2), moment: fc.constantFrom('before', 'inside', 'after') });
const send = fc.record({ script: fc.constantFrom(...(Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[])), death: fc.option(death, { freq: 3 }) });
const legs = fc.array(fc.record({ sends: fc.array(send, { minLength: 1, maxLength: 3 }), byHandMinor: fc.constantFrom(0, 0, 1, 7) }), { minLength: 2, maxLength: 4 });

interface Ended {
  readonly scene: Scene;
  readonly endings: readonly Ending[];
  readonly byHandMinor: number;
}

/** Plays the legs of one charge, each when it has its turn, after a try out of turn. */
async function play(script: readonly LegScript[]): Promise<Ended> {
  const scene = await openScene(db, [{ chargeId: 'chg_1', amountMinor: script.length * AMOUNT_MINOR + 100 }]);
  const inputs = [];
  for (const index of script.keys()) inputs.push(await reserveLeg(scene, `r${index}`, AMOUNT_MINOR));
  const endings: Ending[] = [];
  let byHandMinor = 0;
  for (const [index, leg] of script.entries()) {
    const [input, impatient] = [inputs[index], inputs[index + 1]];
    if (input === undefined) break;
    if (leg.byHandMinor > 0) scene.provider.refundByHand('chg_1', leg.byHandMinor);
    byHandMinor += leg.byHandMinor;
    if (impatient !== undefined) {
      const before = scene.provider.calls.submitRefund;
      await scene.refunds.submitRefund({ ...impatient, sendNumber: 1 });
      expect(scene.provider.calls.submitRefund).toBe(before);
    }
    const planned = [...leg.sends];
    const ending = await sendOnceLoop(scene, input, {
      maxSends: 3,
      submit: (sent) => {
        const next = planned.shift() ?? { script: 'accept', death: null };
        scene.provider.refundScripts.splice(0, Infinity, SCRIPTS[next.script]);
        return (next.death === null ? scene : scene.on(interrupted(db, next.death))).refunds.submitRefund(sent);
      },
    });
    endings.push(ending);
    // A leg that was given up keeps the turn: nothing of this charge is sent any more (S5).
    if (ending.kind === 'gave_up') break;
  }
  return { scene, endings, byHandMinor };
}

describe('refunds of equal amount on one charge', () => {
  it('should never move more than they are, and be booked exactly as the provider moved them, whatever happens to up to three sends each (I1, I2)', async () => {
    const seen = { moved: 0, refused: 0, gaveUp: 0 };
    await fc.assert(fc.asyncProperty(legs, async (script) => {
      const { scene, endings, byHandMinor } = await play(script);
      const movedMinor = scene.provider.movedMinor('chg_1') - byHandMinor;
      const succeeded = endings.filter((ending) => ending.kind === 'accepted' || ending.kind === 'found').length;
      expect(movedMinor).toBeLessThanOrEqual(script.length * AMOUNT_MINOR);
      expect({ count: succeeded, totalMinor: movedMinor }).toEqual(await booked(scene));
      seen.moved += succeeded;
      seen.refused += endings.filter((ending) => ending.kind === 'declined').length;
      seen.gaveUp += endings.filter((ending) => ending.kind === 'gave_up').length;
    }), { numRuns: RUNS });
    // A property that never met one of the ends would prove nothing about it.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  }, TIMEOUT_MS);

  it.each([
    ['plain retries', false],
    ['a look before each retry, without the settle delay', true],
  ])('should be paid twice by %s: this provider can be fooled', async (_, looks) => {
    const naive = fc.asyncProperty(legs, async (script) => {
      const scene = await openScene(db, [{ chargeId: 'chg_1', amountMinor: 1_000_000 }]);
      for (const [index, leg] of script.entries()) await payNaively(scene, `r${index}`, leg, looks);
      scene.provider.commitLate();
      expect(scene.provider.movedMinor('chg_1')).toBeLessThanOrEqual(script.length * AMOUNT_MINOR);
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
