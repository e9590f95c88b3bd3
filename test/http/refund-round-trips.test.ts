import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingStatements } from '../support/counting-statements.ts';
import { chargeIdOf, playRefund, recordOrder } from './played-workflows.ts';
import { seed, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

const PAID = seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>;
const ORDER_ID = 'ord_2tgvDBAmxTMqT';
const counter = countingStatements();
let records: TestApi;
let api: TestApi;
beforeAll(async () => {
  records = await startApi();
  api = await startApi({ db: records.db.withPlugin(counter) });
  await recordOrder(records.db, 'm_one', PAID, ORDER_ID);
  api.client.reset({ requestRefund: (refund) => playRefund(records.db, refund) });
});
afterAll(async () => {
  await api.close();
  await records.close();
});

const refund = (key: string) => api.call('POST', `/orders/${ORDER_ID}/refunds`, { charge_id: chargeIdOf(ORDER_ID, 0), amount: 100 }, { 'idempotency-key': key });

describe('POST /orders/{id}/refunds, counted in round trips to the database', () => {
  it('should read who asks, the key and the order before, and the order after: what came of it is the last word of the Workflow', async () => {
    counter.taken();
    expect((await refund('k-1')).status).toBe(200);
    expect(counter.taken()).toBe(4);
  });

  it('should answer the same request again from the records, without the Workflow (R8)', async () => {
    api.client.reset({});
    expect(await refund('k-1')).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' } });
    expect({ statements: counter.taken(), asked: api.client.calls }).toEqual({ statements: 4, asked: [] });
  });
});
