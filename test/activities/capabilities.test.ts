import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import {
  ACCEPT, createFakeProvider, DIE_AFTER, DIE_BEFORE, EMPTY_SUCCESS, LATE_COMMIT, LOST_AFTER, LOST_BEFORE, NOT_SENT, type FakeProvider, type RefundScript,
} from '../support/fake-provider.ts';
import { booked, openScene, reserveLeg, type Scene } from './activity-scene.ts';
import { altered, type Alteration } from './altered-provider.ts';
import { sendOnceLoop, type Ending, type LoopOptions } from './send-loop.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
const AMOUNT_MINOR = 4_000;

/** What may be lost, and when. */
const LOSSES: readonly (readonly [string, readonly RefundScript[]])[] = [
  ['the request is lost', [LOST_BEFORE]],
  ['the answer is lost', [LOST_AFTER]],
  ['the answer is lost and the commit comes late', [LATE_COMMIT]],
  ['a success shows nothing', [EMPTY_SUCCESS]],
  ['the process dies before the call', [DIE_BEFORE]],
  ['the process dies after the call', [DIE_AFTER]],
  ['the provider takes nothing at first', [NOT_SENT, NOT_SENT, LATE_COMMIT]],
  ['the request is lost and then the answer', [LOST_BEFORE, LOST_AFTER]],
  ['two commits come late', [LATE_COMMIT, LATE_COMMIT]],
];

interface Played {
  readonly scene: Scene;
  readonly ending: Ending;
  /** The references that were sent, in order. */
  readonly references: readonly string[];
  readonly cases: readonly string[];
  /** The provider's id of the leg's refund, as the books have it. */
  readonly providerRefundId: string | null;
}

/** Sends one leg by the protocol to a provider that answers by these scripts, and then accepts. */
async function play(idempotency: IdempotencyCapability, scripts: readonly RefundScript[], alteration: Alteration = {}, options: Partial<LoopOptions> & { readonly settling?: (provider: FakeProvider) => void } = {}): Promise<Played> {
  const references: string[] = [];
  const cases: string[] = [];
  const fake = createFakeProvider(CHARGES, idempotency);
  const scene = await openScene(db, CHARGES, altered(fake, {
    ...alteration,
    request: (asked) => {
      const sent = alteration.request?.(asked) ?? asked;
      references.push(sent.reference);
      return sent;
    },
  }));
  fake.refundScripts.push(...scripts);
  const leg = await reserveLeg(scene, 'r', AMOUNT_MINOR);
  const { settling } = options;
  const ending = await sendOnceLoop(scene, leg, { maxSends: 3, opened: (kind) => cases.push(kind), ...(settling === undefined ? {} : { settle: () => settling(fake) }), ...options });
  fake.commitLate();
  return { scene, ending, references, cases, providerRefundId: (await legRow(db, leg)).provider_refund_id };
}

async function expectPaidOnce({ scene, ending }: Played, byHandMinor = 0): Promise<void> {
  expect(ending).toMatchObject({ refundStatus: 'refunded', legStatus: 'succeeded' });
  expect(scene.provider.movedMinor('chg_1')).toBe(AMOUNT_MINOR + byHandMinor);
  expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
}

/** Nothing is booked, and nothing is given up: the hold stands. */
async function expectOpen({ scene }: Played): Promise<void> {
  expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: AMOUNT_MINOR, ofLegs: AMOUNT_MINOR }]);
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'in_process' });
}

function byHand(provider: FakeProvider): void {
  provider.refundByHand('chg_1', AMOUNT_MINOR);
}

/** The provider works and loses its answer. */
function losing(...states: readonly ('succeeded' | 'failed')[]): RefundScript {
  return (work) => {
    for (const state of states) work.execute(state);
    return LOST_BEFORE(work);
  };
}

const NO_LOOK: Partial<LoopOptions> = { settle: () => undefined, find: async () => ({ kind: 'absent' }) };

describe('a provider with `key`', () => {
  it.each(LOSSES)('should be sent the same reference until it answers, never be looked at by the loop, and pay once, when %s (S2, S3, I1)', async (_, scripts) => {
    const played = await play('key', scripts, {}, { find: () => { throw new Error('asked'); } });
    await expectPaidOnce(played);
    expect(new Set(played.references)).toEqual(new Set(['r:chg_1']));
    expect(played.cases).toEqual([]);
  });

  it('should be sent again however often nothing comes back, and a human told once (S3, O1)', async () => {
    const played = await play('key', Array.from({ length: 15 }, () => LOST_BEFORE));
    await expectPaidOnce(played);
    expect(played.references).toEqual(Array.from({ length: 16 }, () => 'r:chg_1'));
    expect(played.cases).toEqual(['outcome_unknown']);
  });

  it('should pay twice if the key changed with each attempt: these tests can tell', async () => {
    let attempt = 0;
    const { scene } = await play('key', [LATE_COMMIT, ACCEPT], { request: (asked) => ({ ...asked, reference: `${asked.reference}:${attempt += 1}` }) });
    expect(scene.provider.movedMinor('chg_1')).toBe(2 * AMOUNT_MINOR);
  });
});

describe('a provider with `reference`', () => {
  it.each(LOSSES)('should be looked at after the settle delay, and pay once, when %s (S4, I1)', async (_, scripts) => {
    const played = await play('reference', scripts);
    await expectPaidOnce(played);
    expect(played.cases).toEqual([]);
  });

  it.each<readonly [string, readonly RefundScript[], (provider: FakeProvider) => void, string]>([
    ['was made before it', [LATE_COMMIT], (provider) => {
      byHand(provider);
      provider.commitLate();
    }, 're_2'],
    ['was made after it', [LOST_AFTER], byHand, 're_1'],
    ['was made and it was not', [LOST_BEFORE], byHand, 're_2'],
  ])('should show ours by its reference when an equal refund of others %s (S4, I2)', async (_, scripts, settling, id) => {
    const played = await play('reference', scripts, {}, { settling });
    await expectPaidOnce(played, AMOUNT_MINOR);
    expect(played.providerRefundId).toBe(id);
  });

  it('should be believed about the one of ours that counts, also when one that failed is listed first (S4)', async () => {
    const played = await play('reference', [losing('failed', 'succeeded')]);
    await expectPaidOnce(played);
    expect(played.providerRefundId).toBe('re_2');
  });

  it('should be believed that ours failed when it shows no other (S4, M4)', async () => {
    const { scene, ending } = await play('reference', [losing('failed')]);
    expect(ending).toMatchObject({ kind: 'declined', refundStatus: 'rejected', statusDetail: 'failed_at_provider', legStatus: 'refused' });
    expect(scene.provider.calls.submitRefund).toBe(1);
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
  });

  it.each([
    ['without a look', NO_LOOK],
    ['with a look that does not wait for the settle delay', { settle: () => undefined }],
  ])('should pay twice %s: these tests can tell', async (_, naive) => {
    const { scene } = await play('reference', [LATE_COMMIT, ACCEPT], {}, naive);
    expect(scene.provider.movedMinor('chg_1')).toBe(2 * AMOUNT_MINOR);
  });
});

describe('a refund with our reference and another amount', () => {
  const otherAmount: Alteration = { refund: (shown) => ({ ...shown, amountMinor: shown.amountMinor - 1 }) };

  it.each([
    ['key', 'the answer shows it', ACCEPT, 'outcome_unknown'],
    ['key', 'the answer is lost', LOST_AFTER, 'outcome_unknown'],
    ['reference', 'the answer shows it', ACCEPT, 'unreadable_answer'],
    ['reference', 'the answer is lost', LOST_AFTER, 'unreadable_answer'],
  ] as const)('should be neither success nor absence with `%s` when %s: nothing is booked or sent again, and a human is told (S7, O1)', async (idempotency, _, script, kind) => {
    const played = await play(idempotency, [script], otherAmount);
    expect(played.ending).toEqual({ kind: 'stopped' });
    expect(played.references).toHaveLength(1);
    expect(played.cases).toEqual([kind]);
    await expectOpen(played);
  });
});

describe('a provider with `balance`', () => {
  it.each(LOSSES)('should be looked at after the settle delay, and pay once, when %s (S4, S5, I1)', async (_, scripts) => {
    const played = await play('balance', scripts);
    await expectPaidOnce(played);
    expect(played.cases).toEqual([]);
  });

  it('should have an equal refund made meanwhile by hand counted as ours, and never pay twice (S5)', async () => {
    const played = await play('balance', [LOST_BEFORE], {}, { settling: byHand });
    await expectPaidOnce(played);
    expect(played.references).toHaveLength(1);
  });

  it.each([
    ['without a look', NO_LOOK],
    ['with a look that does not wait for the settle delay', { settle: () => undefined }],
  ])('should pay twice %s: these tests can tell', async (_, naive) => {
    const { scene } = await play('balance', [LATE_COMMIT, ACCEPT], {}, naive);
    expect(scene.provider.movedMinor('chg_1')).toBe(2 * AMOUNT_MINOR);
  });
});

describe('a provider with `none`', () => {
  it.each(LOSSES)('should never be sent again after an unknown outcome, and a human told at once, when %s (S6, O1)', async (_, scripts) => {
    const played = await play('none', scripts, {}, { find: () => { throw new Error('asked'); } });
    expect(played.ending).toMatchObject({ kind: 'gave_up' });
    expect(played.cases).toEqual(['outcome_unknown']);
    expect(played.references).toHaveLength(scripts.filter((script) => script === NOT_SENT).length + 1);
    expect(played.scene.provider.movedMinor('chg_1')).toBeLessThanOrEqual(AMOUNT_MINOR);
    await expectOpen(played);
  });

  it('should be sent again what it did not take, and be believed when it answers (S4)', async () => {
    const played = await play('none', [NOT_SENT, NOT_SENT]);
    await expectPaidOnce(played);
    expect(played.cases).toEqual([]);
  });

  it.each([['the answer is lost', LOST_AFTER], ['the commit comes late', LATE_COMMIT]])('should pay twice if it were looked at and sent again when %s: these tests can tell', async (_, script) => {
    const { scene } = await play('none', [script, ACCEPT], {}, { idempotency: 'reference' });
    expect(scene.provider.movedMinor('chg_1')).toBe(2 * AMOUNT_MINOR);
  });
});
