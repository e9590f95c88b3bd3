import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { chargeRow, holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, DECLINE_NOTHING_LEFT, LATE_COMMIT, LOST_BEFORE, type FakeProvider, type RefundScript } from '../support/fake-provider.ts';
import { booked, hold, interrupted, letCallsEnd, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';
import { sendOnceLoop } from './send-loop.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
const AMOUNT_MINOR = 4_000;

/** Providers that can be asked what became of a send. */
const CAPABILITIES = ['balance', 'reference', 'key'] as const;

interface Asked {
  readonly scene: Scene;
  readonly provider: FakeProvider;
  readonly input: SubmitRefundInput;
}

async function ask(idempotency: (typeof CAPABILITIES)[number] = 'balance'): Promise<Asked> {
  const provider = createFakeProvider(CHARGES, idempotency);
  const scene = await openScene(db, CHARGES, provider);
  return { scene, provider, input: await reserveLeg(scene, 'r', AMOUNT_MINOR) };
}

/** Executes, and says that nothing is left: the provider repeated the request to itself. */
const DECLINE_ITS_OWN: RefundScript = (work) => {
  work.execute();
  throw new ProviderError('declined', 'refused', { providerCode: 'nothing_left', saysNothingLeft: true });
};

/** Somebody refunds by hand while the request is on its way; then it is refused. */
function declineAfterByHand({ provider }: Asked, amountMinor: number): RefundScript {
  return (work) => {
    provider.refundByHand('chg_1', amountMinor);
    return DECLINE_NOTHING_LEFT(work);
  };
}

async function expectOpen({ scene }: Asked): Promise<void> {
  expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: AMOUNT_MINOR, ofLegs: AMOUNT_MINOR }]);
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'in_process', statusDetail: 'verifying' });
}

/** Sends once in vain, and has the look say so. */
async function loseOnce({ scene, provider, input }: Asked, script: RefundScript = LOST_BEFORE): Promise<void> {
  provider.refundScripts.push(script);
  expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'unknown' });
  await letCallsEnd(scene);
  expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
}

/** The refusal of the first send, and that of a send after one of unknown outcome. */
const SENDS = [['of the first send', 1], ['after a send of unknown outcome', 2]] as const;

describe.each(SENDS)('a refusal that says that nothing is left, %s', (_, sendNumber) => {
  async function asked(idempotency: (typeof CAPABILITIES)[number] = 'balance'): Promise<Asked> {
    const made = await ask(idempotency);
    if (sendNumber === 2) await loseOnce(made);
    return { ...made, input: { ...made.input, sendNumber } };
  }

  it.each(CAPABILITIES)('should be read as success, settled once, when the list then shows a refund of ours (S4, I1, `%s`)', async (idempotency) => {
    const { scene, provider, input } = await asked(idempotency);
    provider.refundScripts.push(DECLINE_ITS_OWN);
    const outcome = await scene.refunds.submitRefund(input);
    expect(outcome).toMatchObject({ kind: 'accepted', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded' });
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: sendNumber + 1 })).toEqual(outcome);
    expect(await scene.refunds.findRefund(input)).toMatchObject({ kind: 'found' });
    expect(provider.movedMinor('chg_1')).toBe(AMOUNT_MINOR);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  });

  it('should be believed when the list explains it otherwise, and that list taken over (S4, M4)', async () => {
    const made = await asked();
    const { scene, provider, input } = made;
    provider.refundScripts.push(declineAfterByHand(made, 7_000));
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'declined', refundStatus: 'rejected', statusDetail: 'nothing_left', legStatus: 'refused' });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
    const shop = { merchantId: scene.merchantId, orderId: 'ord_1' };
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 7_000 });
  });

  it('should be believed about the refunds of others that leave no room, although one has our amount, when ours would carry our reference (S4, I2)', async () => {
    const made = await asked('reference');
    const { scene, provider, input } = made;
    provider.refundScripts.push((work) => {
      provider.refundByHand('chg_1', AMOUNT_MINOR);
      provider.refundByHand('chg_1', 3_000);
      return DECLINE_NOTHING_LEFT(work);
    });
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'declined', statusDetail: 'nothing_left' });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });

  it('should be unknown when the list cannot be read then (S4)', async () => {
    const made = await asked();
    const { scene, provider, input } = made;
    provider.refundScripts.push((work) => {
      provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
      return DECLINE_NOTHING_LEFT(work);
    });
    await expect(scene.refunds.submitRefund(input)).rejects.toMatchObject({ type: 'Provider.unknown' });
    await expectOpen(made);
    expect((await legRow(db, input)).status).toBe('unknown');
  });

  it('should change nothing when that send was given up meanwhile (S4, I2)', async () => {
    const made = await asked();
    const { scene, provider, input } = made;
    const held = hold(provider, 'submitRefund', () => {
      provider.refundByHand('chg_1', 7_000);
      throw new ProviderError('declined', 'refused', { providerCode: 'nothing_left', saysNothingLeft: true });
    });
    const late = scene.refunds.submitRefund(input);
    await held.reached;
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    held.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    await expectOpen(made);
  });
});

const ROOM = [['to spare', 0], ['to the last unit', 6_000]] as const;

describe('a refusal that says that nothing is left, of the first send', () => {
  it.each(ROOM)('should be believed when the list shows room %s: what was sent once and refused did nothing (S4, M4)', async (_, byHandMinor) => {
    const { scene, provider, input } = await ask();
    if (byHandMinor > 0) provider.refundByHand('chg_1', byHandMinor);
    provider.refundScripts.push(DECLINE_NOTHING_LEFT);
    const refused = await scene.refunds.submitRefund(input);
    expect(refused).toMatchObject({ kind: 'declined', refundStatus: 'rejected', statusDetail: 'nothing_left', legStatus: 'refused' });
    expect(await scene.refunds.findRefund(input)).toEqual(refused);
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });
});

describe('a refusal that says that nothing is left, after a send of unknown outcome', () => {
  it.each(ROOM)('should be unknown, and no failure, when the list shows room %s (S4)', async (_, byHandMinor) => {
    const made = await ask();
    const { scene, provider, input } = made;
    await loseOnce(made);
    if (byHandMinor > 0) provider.refundByHand('chg_1', byHandMinor);
    provider.refundScripts.push(DECLINE_NOTHING_LEFT);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toEqual({ kind: 'unknown' });
    await expectOpen(made);
    expect((await legRow(db, input)).status).toBe('unknown');
  });

  it('should be verified after the settle delay: what came late is ours, paid once (S4, I1)', async () => {
    const made = await ask();
    const { scene, provider, input } = made;
    await loseOnce(made, LATE_COMMIT);
    provider.refundScripts.push(DECLINE_NOTHING_LEFT);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    provider.commitLate();
    expect(await scene.refunds.findRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'found', legStatus: 'succeeded' });
    expect(provider.movedMinor('chg_1')).toBe(AMOUNT_MINOR);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  });

  it('should end before a human, and never as a failure, when the list shows room each time (S4, O1)', async () => {
    const made = await ask();
    made.provider.refundScripts.push(LOST_BEFORE, DECLINE_NOTHING_LEFT, DECLINE_NOTHING_LEFT);
    const cases: string[] = [];
    expect(await sendOnceLoop(made.scene, made.input, { maxSends: 3, opened: (kind) => cases.push(kind) })).toEqual({ kind: 'gave_up', lastSend: 3 });
    expect(cases).toEqual(['outcome_unknown']);
    await expectOpen(made);
  });

  it('should be the trace of the first send behind a repeated one, however late it was committed (S4, I1)', async () => {
    const made = await ask();
    const { scene, provider, input } = made;
    await loseOnce(made, LATE_COMMIT);
    provider.refundScripts.push((work) => {
      work.commitLate();
      provider.refundByHand('chg_1', 6_000);
      return DECLINE_NOTHING_LEFT(work);
    });
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'accepted', legStatus: 'succeeded' });
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  });
});

describe('a worker that dies over a refusal that says that nothing is left', () => {
  const MOMENTS: readonly Death['moment'][] = ['before', 'inside', 'after'];
  /** The permit, the mark that the outcome is open, and the settling. */
  const deaths = [1, 2, 3].flatMap((transaction) => MOMENTS.map((moment) => ({ transaction, moment })));

  async function play(death: Death, arrange: (made: Asked) => RefundScript): Promise<Asked> {
    const made = await ask();
    made.provider.refundScripts.push(arrange(made));
    let sends = 0;
    const dying = made.scene.on(interrupted(db, death));
    await sendOnceLoop(made.scene, made.input, {
      maxSends: 3,
      submit: (sent) => {
        sends += 1;
        return (sends === 1 ? dying : made.scene).refunds.submitRefund(sent);
      },
    });
    return made;
  }

  it.each(deaths)('should leave a refund that was executed behind it paid and booked once: $moment transaction $transaction (S4, I1, I2)', async (death) => {
    const { scene, provider } = await play(death, () => DECLINE_ITS_OWN);
    expect(provider.movedMinor('chg_1')).toBe(AMOUNT_MINOR);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
    expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'refunded' });
  });

  it.each(deaths)('should leave a refusal that others explain a refusal, with nothing booked: $moment transaction $transaction (S4, M4)', async (death) => {
    const { scene, provider } = await play(death, (made) => declineAfterByHand(made, 7_000));
    expect(provider.movedMinor('chg_1')).toBe(7_000);
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'nothing_left' });
  });
});
