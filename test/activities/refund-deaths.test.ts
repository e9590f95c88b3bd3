import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { memoryDatabase } from '../support/database.ts';
import { DIE_AFTER, DIE_BEFORE, LATE_COMMIT } from '../support/fake-provider.ts';
import { holds, history } from '../store/refund-records.ts';
import { booked, interrupted, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';
import { sendOnceLoop } from './send-loop.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

function kill(): never {
  throw new Error('killed');
}

type Arrange = (scene: Scene) => Scene;

/** Dies in the n-th transaction: `submitRefund` has two, `beginSend` and `settleLeg`; so has `findRefund`: the fence and `settleLeg`. */
function inTransaction(death: Death): Arrange {
  return (scene) => scene.on(interrupted(db, death));
}

const DEATHS_IN_SEND: readonly (readonly [string, Arrange])[] = [
  ['before the list is read', (scene) => {
    scene.provider.before.getOrder.push(kill);
    return scene;
  }],
  ['before `sending` is committed', inTransaction({ transaction: 1, moment: 'before' })],
  ['while `sending` is being committed', inTransaction({ transaction: 1, moment: 'inside' })],
  ['between that commit and the call', inTransaction({ transaction: 1, moment: 'after' })],
  ['in the call, before the provider executes', (scene) => {
    scene.provider.refundScripts.push(DIE_BEFORE);
    return scene;
  }],
  ['in the call, after the provider executed', (scene) => {
    scene.provider.refundScripts.push(DIE_AFTER);
    return scene;
  }],
  ['in the call, while the provider takes its time', (scene) => {
    scene.provider.refundScripts.push((work) => {
      work.executeLater();
      throw new Error('killed');
    });
    return scene;
  }],
  ['after the answer, before it is settled', inTransaction({ transaction: 2, moment: 'before' })],
  ['while it is being settled', inTransaction({ transaction: 2, moment: 'inside' })],
  ['after it is settled, before the Activity answers', inTransaction({ transaction: 2, moment: 'after' })],
];

const DEATHS_IN_FIND: readonly (readonly [string, Arrange])[] = [
  ['nowhere', (scene) => scene],
  ['before the fence', inTransaction({ transaction: 1, moment: 'before' })],
  ['in the fence', inTransaction({ transaction: 1, moment: 'inside' })],
  ['after the fence', inTransaction({ transaction: 1, moment: 'after' })],
  ['while it asks the provider', (scene) => {
    scene.provider.before.getOrder.push(kill);
    return scene;
  }],
  ['before it settles', inTransaction({ transaction: 2, moment: 'before' })],
  ['while it settles', inTransaction({ transaction: 2, moment: 'inside' })],
  ['after it settled', inTransaction({ transaction: 2, moment: 'after' })],
];

/** Runs the first call on a scene that dies, and the others on one that lives. */
function dyingOnce<T>(scene: Scene, arrange: Arrange, call: (scene: Scene, input: SubmitRefundInput) => Promise<T>): (input: SubmitRefundInput) => Promise<T> {
  let calls = 0;
  return (input) => {
    calls += 1;
    return call(calls === 1 ? arrange(scene) : scene, input);
  };
}

async function expectPaidOnce(scene: Scene, amountMinor: number): Promise<void> {
  expect(scene.provider.journal.map((entry) => entry.amountMinor)).toEqual([amountMinor]);
  expect(await booked(scene)).toEqual({ count: 1, totalMinor: amountMinor });
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
  expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: amountMinor, ofLegs: amountMinor }]);
  expect((await history(db, scene.merchantId, 'r')).map((step) => [step.to, ...step.events])).toEqual([
    ['pending', 'refund.pending'], ['in_process', 'refund.in_process'], ['refunded', 'refund.refunded'],
  ]);
}

describe('a refund whose worker dies', () => {
  const cases = DEATHS_IN_SEND.flatMap(([inSend, arrangeSend]) => DEATHS_IN_FIND.map(([inFind, arrangeFind]) => ({ inSend, inFind, arrangeSend, arrangeFind })));

  it.each(cases)('should be paid and booked once: in the send $inSend, in the look $inFind (I1, I2, I6)', async ({ arrangeSend, arrangeFind }) => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    const ending = await sendOnceLoop(scene, input, {
      maxSends: 3,
      submit: dyingOnce(scene, arrangeSend, (alive, sent) => alive.refunds.submitRefund(sent)),
      find: dyingOnce(scene, arrangeFind, (alive, wanted) => alive.refunds.findRefund(wanted)),
    });
    expect(ending).toMatchObject({ refundStatus: 'refunded' });
    await expectPaidOnce(scene, 4_000);
  });

  it('should be paid twice where plain retries take the place of the protocol: these tests can tell', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundScripts.push(LATE_COMMIT);
    await sendOnceLoop(scene, input, { maxSends: 3, settle: () => undefined, find: async () => ({ kind: 'absent' }) });
    scene.provider.commitLate();
    expect(scene.provider.movedMinor('chg_1')).toBe(8_000);
  });
});
