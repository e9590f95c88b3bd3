import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { countingStatements } from '../support/counting-statements.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider } from '../support/fake-provider.ts';
import { openScene, reserveLeg } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

describe('a refund of one charge, counted in round trips to the database', () => {
  it('should take few statements from its reservation to its settlement: each is a round trip', async () => {
    const counter = countingStatements();
    const scene = (await openScene(db)).on(db.withPlugin(counter));
    const input = await reserveLeg(scene, 'r', 4_000);
    const reserved = counter.taken();
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'accepted' });
    expect({ reserved, submitted: counter.taken() }).toEqual({ reserved: 5, submitted: 9 });
  });

  it('should read a new order once before it is reserved, instead of being refused by the records first', async () => {
    const provider = createFakeProvider([{ chargeId: 'chg_1', amountMinor: 10_000 }]);
    const scene = await openScene(db, [{ chargeId: 'chg_1', amountMinor: 10_000 }], provider);
    await db.deleteFrom('charges').where('merchant_id', '=', scene.merchantId).execute();
    await db.deleteFrom('orders').where('merchant_id', '=', scene.merchantId).execute();
    const counter = countingStatements();
    await reserveLeg(scene.on(db.withPlugin(counter)), 'r', 4_000);
    expect({ statements: counter.taken(), readings: provider.calls.getOrder }).toEqual({ statements: 8, readings: 1 });
  });
});
