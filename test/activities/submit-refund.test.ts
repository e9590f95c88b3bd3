import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import { ACCEPT, DECLINE, DECLINE_AFTER_LATE_COMMIT, EMPTY_SUCCESS, LATE_COMMIT, LOST_AFTER, LOST_BEFORE, NOT_SENT, type RefundScript } from '../support/fake-provider.ts';
import { booked, interrupted, letCallsEnd, openScene, reserveLeg, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

async function sceneWith(...scripts: readonly RefundScript[]): Promise<Scene> {
  const scene = await openScene(db);
  scene.provider.refundScripts.push(...scripts);
  return scene;
}

function unreachable(): never {
  throw new ProviderError('unknown', 'timeout');
}

async function legStatus({ merchantId }: Scene, legId = 'r:chg_1'): Promise<string> {
  const row = await db.selectFrom('legs').select('status').where('merchant_id', '=', merchantId).where('leg_id', '=', legId).executeTakeFirstOrThrow();
  return row.status;
}

describe('submitRefund', () => {
  it.each<readonly [string, RefundScript, object, string, number]>([
    ['accepted', ACCEPT, { kind: 'accepted', refundStatus: 'refunded', statusDetail: 'complete', nextTurn: null, legStatus: 'succeeded' }, 'succeeded', 1],
    ['declined', DECLINE, { kind: 'declined', refundStatus: 'rejected', statusDetail: 'card_closed', nextTurn: null, legStatus: 'refused' }, 'refused', 0],
    ['not_sent when the provider took nothing, with the pause it asked for', NOT_SENT, { kind: 'not_sent', retryAfterMs: 7000 }, 'reserved', 0],
    ['unknown after a timeout before the commit', LOST_BEFORE, { kind: 'unknown' }, 'unknown', 0],
    ['unknown after a timeout behind the commit', LOST_AFTER, { kind: 'unknown' }, 'unknown', 0],
    ['unknown when the commit is still to come', LATE_COMMIT, { kind: 'unknown' }, 'unknown', 0],
    ['unknown when a 2xx shows no new refund (S7)', EMPTY_SUCCESS, { kind: 'unknown' }, 'unknown', 0],
  ])('should answer %s, and book what is known for sure alone (S4)', async (_, script, answer, status, count) => {
    const scene = await sceneWith(script);
    const input = await reserveLeg(scene, 'r', 4_000);
    expect(await scene.refunds.submitRefund(input)).toEqual(answer);
    expect(await legStatus(scene)).toBe(status);
    expect(await booked(scene)).toEqual({ count, totalMinor: count * 4_000 });
    expect(scene.provider.calls.submitRefund).toBe(1);
  });

  it('should not send when the list of refunds before cannot be read (S5)', async () => {
    const scene = await sceneWith();
    const input = await reserveLeg(scene, 'r');
    scene.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout', { retryAfterMs: 3000 }); });
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'not_sent', retryAfterMs: 3000 });
    expect(scene.provider.calls.submitRefund).toBe(0);
    expect(await legStatus(scene)).toBe('reserved');
  });

  it('should not send without the charge\'s turn (S5)', async () => {
    const scene = await sceneWith();
    await reserveLeg(scene, 'first', 100);
    const second = await reserveLeg(scene, 'second', 100);
    expect(await scene.refunds.submitRefund(second)).toEqual({ kind: 'unknown' });
    expect(scene.provider.calls.submitRefund).toBe(0);
  });

  it('should not send what the server gave up before the call, and say so (S4)', async () => {
    const scene = await sceneWith();
    const input = await reserveLeg(scene, 'r');
    scene.giveUp();
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'not_sent', retryAfterMs: null });
    expect(scene.provider.calls.submitRefund).toBe(0);
    expect(await legStatus(scene)).toBe('reserved');
  });

  it('should name the next leg of the charge when it settles, and the next leg may then be sent (S5)', async () => {
    const scene = await sceneWith();
    const [first, second] = [await reserveLeg(scene, 'first', 100), await reserveLeg(scene, 'second', 100)];
    expect(await scene.refunds.submitRefund(first)).toMatchObject({ kind: 'accepted', nextTurn: { workflowId: 'refund:second', legId: 'second:chg_1' } });
    expect(await scene.refunds.submitRefund(second)).toMatchObject({ kind: 'accepted', nextTurn: null });
    expect(scene.provider.journal.map((entry) => entry.amountMinor)).toEqual([100, 100]);
    expect(await booked(scene)).toEqual({ count: 2, totalMinor: 200 });
  });

  it('should answer what stands when a settled leg is submitted again, and not send (S4)', async () => {
    const scene = await sceneWith();
    const input = await reserveLeg(scene, 'r');
    const first = await scene.refunds.submitRefund(input);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toEqual(first);
    expect(scene.provider.journal).toHaveLength(1);
  });

  it('should recognise the first send behind a refusal of the second (S4)', async () => {
    const scene = await sceneWith(LATE_COMMIT, DECLINE_AFTER_LATE_COMMIT);
    const input = await reserveLeg(scene, 'r');
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(scene.provider.journal).toHaveLength(1);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 10_000 });
  });

  it('should not send again when the list before the second send shows the first one, however late it came (I1)', async () => {
    const scene = await sceneWith(LATE_COMMIT);
    const input = await reserveLeg(scene, 'r', 4_000);
    await scene.refunds.submitRefund(input);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    scene.provider.before.getOrder.push(unreachable);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'not_sent' });
    scene.provider.commitLate();
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 3 })).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(scene.provider.movedMinor('chg_1')).toBe(4_000);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 4_000 });
  });

  it('should still remember a send of unknown outcome after one that the provider did not take (I1)', async () => {
    const scene = await sceneWith(LATE_COMMIT, NOT_SENT);
    const input = await reserveLeg(scene, 'r', 4_000);
    await scene.refunds.submitRefund(input);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'not_sent' });
    scene.provider.commitLate();
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 3 })).toMatchObject({ kind: 'accepted' });
    expect(scene.provider.movedMinor('chg_1')).toBe(4_000);
  });

  it.each([
    ['the provider took none of the sends before', async (scene: Scene) => scene.provider.refundScripts.push(NOT_SENT, DECLINE)],
    ['nothing was ever sent before', async (scene: Scene) => {
      scene.provider.before.getOrder.push(unreachable);
      scene.provider.refundScripts.push(DECLINE);
    }],
  ])('should believe a refusal, and take no equal refund of others for its own, when %s (I2)', async (_, arrange) => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    await arrange(scene);
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'not_sent' });
    scene.provider.refundByHand('chg_1', 4_000);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'declined', statusDetail: 'card_closed' });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });

  it('should not take an equal refund that was there before for its own (S5)', async () => {
    const scene = await sceneWith(EMPTY_SUCCESS);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundByHand('chg_1', 4_000);
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
  });
});

describe('findRefund', () => {
  it('should find what a lost answer hid, once, and answer the same again (S4, M7)', async () => {
    const scene = await sceneWith(LATE_COMMIT);
    const input = await reserveLeg(scene, 'r', 4_000);
    await scene.refunds.submitRefund(input);
    scene.provider.commitLate();
    await letCallsEnd(scene);
    const found = await scene.refunds.findRefund(input);
    expect(found).toMatchObject({ kind: 'found', refundStatus: 'refunded', statusDetail: 'complete' });
    expect(await scene.refunds.findRefund(input)).toEqual(found);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 4_000 });
  });

  it('should be retried, not answered, while the provider cannot be asked (S6)', async () => {
    const scene = await sceneWith(LOST_AFTER);
    const input = await reserveLeg(scene, 'r');
    await scene.refunds.submitRefund(input);
    scene.provider.before.getOrder.push(unreachable);
    await letCallsEnd(scene);
    await expect(scene.refunds.findRefund(input)).rejects.toMatchObject({ type: 'Provider.unknown', nonRetryable: false });
    expect(await scene.refunds.findRefund(input)).toMatchObject({ kind: 'found' });
  });

  it('should say that nothing was sent when the Activity never began, and fence it (S4)', async () => {
    const scene = await sceneWith();
    const input = await reserveLeg(scene, 'r');
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'never_sent' });
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'unknown' });
    expect(scene.provider.calls.submitRefund).toBe(0);
  });

  it('should conclude nothing while a lost worker may still be calling (S4)', async () => {
    const scene = await sceneWith();
    const input = await reserveLeg(scene, 'r');
    await expect(scene.on(interrupted(db, { transaction: 1, moment: 'after' })).refunds.submitRefund(input)).rejects.toThrow('killed');
    const early = await scene.refunds.findRefund(input);
    expect(early.kind).toBe('too_early');
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
  });

  it('should compare with the list of the send that began while it prepared (S5, I2)', async () => {
    const scene = await sceneWith(LOST_BEFORE);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundByHand('chg_1', 4_000);
    const late = interrupted(db, { transaction: 1, moment: 'before' }, async () => {
      await scene.refunds.submitRefund(input);
      await letCallsEnd(scene);
    });
    expect(await scene.on(late).refunds.findRefund(input)).toEqual({ kind: 'absent' });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });

  it('should find a refusal that settled meanwhile (S4)', async () => {
    const scene = await sceneWith(DECLINE);
    const input = await reserveLeg(scene, 'r');
    await scene.refunds.submitRefund(input);
    expect(await scene.refunds.findRefund(input)).toMatchObject({ kind: 'declined', refundStatus: 'rejected' });
  });
});
