import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import type { LegResolution } from '../../src/domain/case.ts';
import type { IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { listCases } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { ACCEPT_LATER, createFakeProvider, LOST_AFTER, LOST_AFTER_ACCEPT, LOST_BEFORE, type FakeProvider, type RefundScript } from '../support/fake-provider.ts';
import { booked, hold, interrupted, letCallsEnd, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }, { chargeId: 'chg_2', amountMinor: 10_000 }];
const AMOUNT_MINOR = 4_000;
const FAILED: LegResolution = { outcome: 'failed' };
function succeeded(providerRefundId: string): LegResolution {
  return { outcome: 'succeeded', providerRefundId };
}

interface Sent {
  readonly scene: Scene;
  readonly provider: FakeProvider;
  readonly leg: SubmitRefundInput;
}

/** A leg that was sent, to a provider that answers so; not sent at all without a script. */
async function sent(script?: RefundScript, idempotency: IdempotencyCapability = 'balance'): Promise<Sent> {
  const provider = createFakeProvider(CHARGES, idempotency);
  const scene = await openScene(db, CHARGES, provider);
  const leg = await reserveLeg(scene, 'r', AMOUNT_MINOR);
  if (script !== undefined) {
    provider.refundScripts.push(script);
    await scene.refunds.submitRefund(leg);
    await letCallsEnd(scene);
  }
  return { scene, provider, leg };
}

function resolve({ scene, leg }: Sent, resolution: LegResolution): ReturnType<Scene['refunds']['resolveLeg']> {
  return scene.refunds.resolveLeg({ ...leg, actor: 'ana', reason: 'statement of the bank', resolution });
}

async function cases({ scene }: Sent): Promise<readonly string[]> {
  return (await listCases(db, scene.merchantId, { refundId: 'r' })).map((matter) => `${matter.kind} ${matter.status}`);
}

async function expectSucceeded({ scene, leg }: Sent, providerRefundId: string): Promise<void> {
  expect(await legRow(db, leg)).toMatchObject({ status: 'succeeded', provider_refund_id: providerRefundId });
  expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  expect((await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' }))[0]).toEqual({ held: AMOUNT_MINOR, ofLegs: AMOUNT_MINOR });
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
}

async function expectFailed({ scene, leg }: Sent): Promise<void> {
  expect(await legRow(db, leg)).toMatchObject({ status: 'refused', refusal: 'resolved_as_failed' });
  expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  expect((await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' }))[0]).toEqual({ held: 0, ofLegs: 0 });
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'resolved_as_failed' });
}

/** The word is not taken, and nothing changed. */
async function expectRefused(made: Sent, resolution: LegResolution, why: string): Promise<void> {
  const before = await legRow(db, made.leg);
  expect(await resolve(made, resolution)).toEqual({ kind: 'refused', why });
  expect(await legRow(db, made.leg)).toEqual(before);
  expect((await booked(made.scene)).count).toBe(0);
  expect(await acts(made)).toEqual([]);
}

/** The audit of what people did: event, actor and reason (O3). */
async function acts({ scene }: Sent): Promise<readonly string[]> {
  const rows = await db.selectFrom('transitions').innerJoin('events', 'events.transition_id', 'transitions.transition_id').select(['type', 'actor', 'transitions.reason'])
    .where('transitions.merchant_id', '=', scene.merchantId).where('actor', '=', 'ana').orderBy('transitions.transition_id').execute();
  return rows.map((row) => `${row.type} ${row.actor}: ${row.reason}`);
}
const WORDS = [['succeeded', succeeded('re_1')], ['failed', FAILED]] as const;

describe('resolveLeg of a leg whose outcome is unknown', () => {
  it('should book what a human found, close the case, and write down who said so and why (O2, O3, M7)', async () => {
    const made = await sent(LOST_AFTER);
    await made.scene.refunds.openCase({ ...made.leg, kind: 'outcome_unknown' });
    const settled = await resolve(made, succeeded('re_1'));
    expect(settled).toEqual({ kind: 'settled', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded', nextTurn: null });
    await expectSucceeded(made, 're_1');
    expect(await cases(made)).toEqual(['outcome_unknown resolved']);
    expect(await acts(made)).toEqual(['refund.refunded ana: statement of the bank', 'refund.resolved_succeeded ana: statement of the bank']);
    expect(await resolve(made, FAILED)).toEqual(settled);
    await expectSucceeded(made, 're_1');
    expect(await acts(made)).toHaveLength(2);
  });

  it('should give the hold and the turn back when a human says that it failed, and never send it again (O2, M4, S5)', async () => {
    const made = await sent(LOST_BEFORE);
    const second = await reserveLeg(made.scene, 'second', 100);
    expect(await resolve(made, FAILED)).toMatchObject({ kind: 'settled', refundStatus: 'rejected', legStatus: 'refused', nextTurn: { legId: 'second:chg_1' } });
    expect(await acts(made)).toEqual(['refund.rejected ana: statement of the bank', 'refund.resolved_failed ana: statement of the bank']);
    expect(await made.scene.refunds.submitRefund({ ...made.leg, sendNumber: 2 })).toMatchObject({ kind: 'declined', statusDetail: 'resolved_as_failed' });
    expect(made.provider.calls.submitRefund).toBe(1);
    expect(await made.scene.refunds.submitRefund(second)).toMatchObject({ kind: 'accepted' });
  });

  it('should not take a refund of another amount for the leg\'s (O2)', async () => {
    const made = await sent(LOST_BEFORE);
    made.provider.refundByHand('chg_1', AMOUNT_MINOR - 1);
    await expectRefused(made, succeeded('re_1'), 'other_amount');
  });

  it('should not believe that a call failed which may still take effect (S4, O2)', async () => {
    const made = await sent();
    made.provider.refundScripts.push(LOST_BEFORE);
    await made.scene.refunds.submitRefund(made.leg);
    await expectRefused(made, FAILED, 'too_early');
  });

  it('should not take a refund for a success that the provider does not show (O2)', async () => {
    await expectRefused(await sent(LOST_BEFORE), succeeded('re_1'), 'not_shown_by_provider');
  });

  it('should not take a refund that the provider shows as failed for a success (O2)', async () => {
    const made = await sent(LOST_AFTER_ACCEPT);
    made.provider.setState('re_1', 'failed');
    await expectRefused(made, succeeded('re_1'), 'provider_says_otherwise');
  });

  it.each(['reference', 'key'] as const)('should not call failed what a provider with `%s` shows as done with our reference (O2, I2)', async (idempotency) => {
    await expectRefused(await sent(LOST_AFTER, idempotency), FAILED, 'provider_says_otherwise');
  });

  it('should not take a refund that was there before it was sent (O2, S5)', async () => {
    const made = await sent();
    made.provider.refundByHand('chg_1', AMOUNT_MINOR);
    made.provider.refundScripts.push(LOST_BEFORE);
    await made.scene.refunds.submitRefund(made.leg);
    await expectRefused(made, succeeded('re_1'), 'provider_refund_taken');
  });

  it('should not take a refund that is another leg\'s (O2, I2)', async () => {
    const made = await sent(LOST_BEFORE, 'reference');
    await made.scene.refunds.submitRefund(await reserveLeg(made.scene, 'second', AMOUNT_MINOR));
    expect(await resolve(made, succeeded('re_1'))).toEqual({ kind: 'refused', why: 'provider_refund_taken' });
    expect(await booked(made.scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  });

  it('should not take a refund of another charge (O2, I2)', async () => {
    const made = await sent(LOST_BEFORE);
    const ref = { ...made.leg, refundId: 'second', legId: 'second:chg_2', workflowId: 'refund:second' };
    await made.scene.refunds.reserveRefund({ ...ref, orderId: 'ord_1', chargeId: 'chg_2', amountMinor: AMOUNT_MINOR, idempotencyKey: 'second', fingerprint: 'f', requestedBy: 'key_test' });
    await made.scene.refunds.submitRefund(ref);
    expect(await resolve(made, succeeded('re_1'))).toMatchObject({ kind: 'refused' });
  });
});

describe('resolveLeg without a provider to ask', () => {
  it('should take the word when the provider is not configured (O2)', async () => {
    const made = await sent(LOST_BEFORE);
    await db.updateTable('refunds').set({ provider: 'other' }).where('merchant_id', '=', made.scene.merchantId).execute();
    expect(await resolve(made, succeeded('re_1'))).toMatchObject({ kind: 'settled' });
  });

  const SILENT: readonly (readonly [string, (made: Sent) => Promise<Sent>])[] = [
    ['does not answer', async (made) => {
      made.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
      return made;
    }],
    ['no longer shows the charge', async (made) => {
      const { adapter } = made.provider;
      return { ...made, scene: made.scene.at({ ...made.provider, adapter: { ...adapter, getOrder: async () => ({ ...made.provider.orderAsIs(), charges: [] }) } }) };
    }],
  ];

  it.each(SILENT.flatMap(([how, arrange]) => WORDS.map(([word, resolution]) => ({ how, word, arrange, resolution }))))('should take the word `$word` when the provider $how (O2)', async ({ arrange, resolution }) => {
    const made = await arrange(await sent(LOST_BEFORE));
    expect(await resolve(made, resolution)).toMatchObject({ kind: 'settled' });
    await (resolution.outcome === 'succeeded' ? expectSucceeded(made, 're_1') : expectFailed(made));
  });
});

describe('resolveLeg of a leg that was never sent', () => {
  it('should not believe that it succeeded (O2)', async () => {
    const made = await sent();
    made.provider.refundByHand('chg_1', AMOUNT_MINOR);
    await expectRefused(made, succeeded('re_1'), 'never_sent');
  });

  it('should end it when a human gives it up, and send it no more (O2, M4)', async () => {
    const made = await sent();
    expect(await resolve(made, FAILED)).toMatchObject({ kind: 'settled', legStatus: 'refused' });
    expect(await made.scene.refunds.submitRefund(made.leg)).toMatchObject({ kind: 'declined' });
    expect(made.provider.calls.submitRefund).toBe(0);
  });
});

describe('resolveLeg of a leg that the provider accepted', () => {
  it.each([['as under way', false], ['as done', true]])('should not call failed what the provider shows %s (O2, R6)', async (_, isDone) => {
    const made = await sent(ACCEPT_LATER);
    if (isDone) made.provider.setState('re_1', 'succeeded');
    await expectRefused(made, FAILED, 'provider_says_otherwise');
  });

  it('should call failed what the provider shows as failed (O2, R6)', async () => {
    const made = await sent(ACCEPT_LATER);
    made.provider.setState('re_1', 'failed');
    expect(await resolve(made, FAILED)).toMatchObject({ kind: 'settled' });
    await expectFailed(made);
  });

  it('should take no other refund for it (O2)', async () => {
    const made = await sent(ACCEPT_LATER);
    made.provider.refundByHand('chg_1', AMOUNT_MINOR);
    await expectRefused(made, succeeded('re_2'), 'provider_refund_taken');
  });

  it('should book it when it is done (O2, M7)', async () => {
    const made = await sent(ACCEPT_LATER);
    made.provider.setState('re_1', 'succeeded');
    expect(await resolve(made, succeeded('re_1'))).toMatchObject({ kind: 'settled' });
    await expectSucceeded(made, 're_1');
    expect(await made.scene.refunds.followRefund(made.leg)).toMatchObject({ kind: 'known', legStatus: 'succeeded' });
    await expectSucceeded(made, 're_1');
  });

  it('should book no money that the provider shows as not yet moved (O2, I2)', async () => {
    const made = await sent(ACCEPT_LATER);
    await resolve(made, succeeded('re_1'));
    expect((await booked(made.scene)).totalMinor).toBe(made.provider.movedMinor('chg_1'));
  });
});

describe('a worker that died while a leg was resolved, or was lost before', () => {
  it.each((['before', 'inside', 'after'] as const satisfies readonly Death['moment'][]).flatMap((moment) => WORDS.map(([word, resolution]) => ({ moment, word, resolution }))))('should have the word `$word` taken once when it dies $moment the transaction (O2, O3, M7)', async ({ moment, resolution }) => {
    const made = await sent(resolution === FAILED ? LOST_BEFORE : LOST_AFTER);
    await expect(resolve({ ...made, scene: made.scene.on(interrupted(db, { transaction: 1, moment })) }, resolution)).rejects.toThrow('killed');
    expect(await resolve(made, resolution)).toMatchObject({ kind: 'settled' });
    await (resolution.outcome === 'succeeded' ? expectSucceeded(made, 're_1') : expectFailed(made));
    expect(await acts(made)).toHaveLength(2);
  });

  it.each([
    ['a contradiction after `failed`', FAILED, 'declined', ['contradiction open']],
    ['a contradiction after `succeeded` with another id', succeeded('re_9'), 'accepted', ['contradiction open']],
    // The refund is known already: the answer shows no new one.
    ['nothing new after `succeeded` with its id', succeeded('re_1'), 'unknown', []],
  ] as const)('should make its late answer %s, and book nothing for it (O1, O2, I2)', async (_, resolution, kind, opened) => {
    const made = await sent();
    const held = hold(made.provider, 'submitRefund');
    const late = made.scene.refunds.submitRefund(made.leg);
    await held.reached;
    await letCallsEnd(made.scene);
    expect(await made.scene.refunds.findRefund(made.leg)).toEqual({ kind: 'absent' });
    made.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
    expect(await resolve(made, resolution)).toMatchObject({ kind: 'settled' });
    const before = await booked(made.scene);
    held.letGo();
    expect(await late).toMatchObject({ kind });
    expect(made.provider.movedMinor('chg_1')).toBe(AMOUNT_MINOR);
    expect(await booked(made.scene)).toEqual(before);
    expect(await cases(made)).toEqual(opened);
  });
});
