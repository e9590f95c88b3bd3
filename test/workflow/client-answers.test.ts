import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { NewRefund, ReintegroClient } from '../../src/client/reintegro-client.ts';
import { payoutBody, startApi } from '../http/start-api.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage, THIRTY_DAYS_MS } from './stage.ts';

const NOBODY = 'nobody-polls-this';
const WAIT_MS = 300;
let server: Environment;
let client: ReintegroClient;

beforeAll(async () => {
  server = await realServer();
  client = createReintegroClient({ client: server.env.client, taskQueue: NOBODY });
});
afterAll(() => server.close());

describe('the client while no Worker runs', () => {
  it('should tell another refund request under the same key apart, and take the same one in again (R8)', async () => {
    const refund: NewRefund = { merchantId: 'mer_1', orderId: 'ord_1', amountMinor: 100, idempotencyKey: 'refund', requestedBy: 'key_1' };
    expect(await client.requestRefund(refund, { waitMs: WAIT_MS })).toMatchObject({ kind: 'accepted' });
    expect(await client.requestRefund(refund, { waitMs: WAIT_MS })).toMatchObject({ kind: 'accepted' });
    await expect(client.requestRefund({ ...refund, amountMinor: 101 }, { waitMs: WAIT_MS })).rejects.toMatchObject({ name: 'KeyReusedError' });
  });

  it('should tell another payout order under the same key apart, and take the same one in again (R8)', async () => {
    const order = {
      merchantId: 'mer_1', amountMinor: 3000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Payout order',
      expiresAt: new Date(Date.now() + THIRTY_DAYS_MS), idempotencyKey: 'payout', requestedBy: 'key_1',
    };
    expect(await client.createPayoutOrder(order, { waitMs: WAIT_MS })).toMatchObject({ kind: 'accepted' });
    expect(await client.createPayoutOrder(order, { waitMs: WAIT_MS })).toMatchObject({ kind: 'accepted' });
    await expect(client.createPayoutOrder({ ...order, amountMinor: 3001 }, { waitMs: WAIT_MS })).rejects.toMatchObject({ name: 'KeyReusedError' });
  });

  it('should name the order of a refund that was taken in, and know no other (I3)', async () => {
    const refund: NewRefund = { merchantId: 'mer_1', provider: 'gateway', orderId: 'pay-1', chargeId: 'pay-1', idempotencyKey: 'known', requestedBy: 'key_1' };
    const { refundId } = await client.requestRefund(refund, { waitMs: WAIT_MS });
    expect(await client.orderOfRefund('mer_1', refundId)).toBe('pay-1');
    for (const [merchantId, id] of [['mer_2', refundId], ['mer_1', 'rfd_nobody']] as const) await expect(client.orderOfRefund(merchantId, id)).rejects.toMatchObject({ name: 'NotRunningError' });
    await server.env.client.workflow.getHandle(`refund:mer_1:${refundId}`).terminate();
    await expect(client.orderOfRefund('mer_1', refundId)).rejects.toMatchObject({ name: 'NotRunningError' });
  });

  it('should answer the gateway face with the refund it took in, over and over, though nothing is on record (I3, R8)', async () => {
    const api = await startApi({ client, syncWaitMs: WAIT_MS });
    try {
      const asked = await api.call('POST', '/pagos/devolucion/pay-http', { amount: 100 }, { 'idempotency-key': 'http' });
      expect(asked).toMatchObject({ status: 200, body: { status: 'pending', reference: 'pay-http', amount: 100 } });
      const { body: again } = await api.call('GET', String(asked.headers['location']));
      expect(again).toMatchObject({ id: (asked.body as { id: string }).id, status: 'pending', status_detail: 'accepted' });
      expect((await api.call('GET', `/pagos/devolucion/pay-other?refund_id=${(asked.body as { id: string }).id}`)).status).toBe(404);
    } finally {
      await api.close();
    }
  });

  it('should let the HTTP face answer 422 to the other request and 202 to the same (R8, R10)', async () => {
    const api = await startApi({ client, syncWaitMs: WAIT_MS });
    try {
      const refund = (body: object) => api.call('POST', '/orders/ord_http/refunds', body, { 'idempotency-key': 'http' });
      expect((await refund({ amount: 100 })).status).toBe(202);
      expect((await refund({ amount: 100 })).status).toBe(202);
      const reused = { status: 422, body: { details: [{ code: 'conekta.errors.parameter_validation.idempotency_key.reused' }] } };
      expect(await refund({ amount: 101 })).toMatchObject(reused);
      const body = payoutBody();
      const payout = (changes: object) => api.call('POST', '/payout_orders', { ...body, ...changes }, { 'idempotency-key': 'http' });
      const first = await payout({});
      expect(first.status).toBeLessThan(300);
      expect((await payout({})).status).toBe(first.status);
      expect(await payout({ amount: 3001 })).toMatchObject(reused);
    } finally {
      await api.close();
    }
  });
});

describe('a repeated request', () => {
  it('should be answered with the refund as it is now, while it runs and after its end (R8)', async () => {
    const looked = latch();
    const script = scriptActivities().on('reserveRefund', reserved([true], { idempotency: 'balance', settleDelayMs: 1, maxSends: 3 })).on('submitRefund', { kind: 'unknown' });
    script.on('findRefund', async () => {
      await looked.opened;
      return { ...ACCEPTED, kind: 'found' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const first = await refund.begin();
      expect(first).toMatchObject({ kind: 'answered', view: { status: 'in_process', statusDetail: 'verifying' } });
      expect(await refund.begin()).toEqual(first);
      looked.open();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(await refund.begin()).toMatchObject({ kind: 'answered', refundId: refund.id, view: { status: 'refunded', statusDetail: 'complete' } });
    });
  });

  it('should be answered with the payout order as it is now, while it runs and after its end (R8)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending_confirmation' } });
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      await payout.wait();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', payoutOrderId: payout.id, view: { status: 'cancelled' } });
    });
  });

  it('should never be answered with an old state for want of a Worker: it was taken in, no more is said (R10)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.whileWorkerIsGone(async () => {
        expect(await payout.begin({ waitMs: WAIT_MS })).toEqual({ kind: 'accepted', payoutOrderId: payout.id });
        expect(await payout.begin({ waitMs: WAIT_MS, firstAnswerSuffices: true })).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      });
    });
  });

  it('should cost no second call once it is over (R10)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true])).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const first = await refund.begin();
      await refund.wait();
      // Nobody could answer a query now.
      await stage.whileWorkerIsGone(async () => expect(await refund.begin()).toEqual(first));
    });
  });
});
