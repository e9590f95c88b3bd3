import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ReserveRefundResult } from '../../activities/contracts.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { needsAttentionUpserts, secondsOfTimers } from './read-history.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import type { Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const HOUR_MS = 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** The provider does not show the order for so many tries, then does. */
function unreadableFor(tries: number, retryAfterMs: number | null = null): Script {
  const notYet: ReserveRefundResult = { kind: 'not_yet', retryAfterMs };
  return scriptActivities().on('reserveRefund', ...Array.from({ length: tries }, () => notYet), reserved()).on('submitRefund', ACCEPTED);
}

describe('refundWorkflow, an order that the provider does not show', () => {
  it('should answer the first caller at once, try again with growing pauses, and be refunded in the end (R10)', async () => {
    const script = unreadableFor(5);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending', statusDetail: 'order_unreadable', amountMinor: null, refusal: null } });
      expect(script.calls('submitRefund')).toEqual([]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded', statusDetail: 'complete', amountMinor: 5000, needsAttention: false });
      expect(secondsOfTimers(await refund.events())).toEqual([1, 2, 4, 8, 16]);
      expect(script.calls('reserveRefund')).toHaveLength(6);
      expect(script.calls('submitRefund')).toHaveLength(1);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should wait as long as the provider asks (S4)', async () => {
    await onStage(server.env, unreadableFor(1, 90_000), async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(secondsOfTimers(await refund.events())).toEqual([90]);
    });
  });

  it('should be refused when the order, once shown, is not returnable (R1)', async () => {
    const script = unreadableFor(1).on('reserveRefund', { kind: 'not_yet', retryAfterMs: null }, { kind: 'refused', refusal: 'order_not_returnable' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'rejected', refusal: 'order_not_returnable' });
      expect(script.calls('submitRefund')).toEqual([]);
    });
  });

  it('should be called off between two tries by whoever waits for the answer (R4)', async () => {
    const script = unreadableFor(1, HOUR_MS);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.cancel('key_7')).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect(await refund.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'key_7', refundId: refund.id }]);
      expect(script.calls('reserveRefund')).toHaveLength(1);
    });
  });

  it('should be called off between two tries by signal (R4)', async () => {
    const script = unreadableFor(1, HOUR_MS);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.signalCancel();
      await eventually(() => expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'key_1', refundId: refund.id }]));
      expect(await refund.wait()).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect(script.calls('reserveRefund')).toHaveLength(1);
    });
  });

  it('should tell a human once after twelve tries, go on trying, and need nobody any more when it is done (O1, A6)', async () => {
    const script = unreadableFor(14);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      // Eleven pauses of 1, 2, 4 … seconds lie before the twelfth try.
      await stage.skipTo((await stage.env.currentTimeMs()) + 1000 * 2 ** 11 - 60_000);
      expect(script.calls('openCase')).toEqual([]);
      await stage.skipTo((await stage.env.currentTimeMs()) + 120_000);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', refundId: refund.id }]);
      expect(await refund.view()).toMatchObject({ status: 'pending', statusDetail: 'order_unreadable', needsAttention: true });
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(script.calls('openCase')).toHaveLength(1);
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
    });
  });
});
