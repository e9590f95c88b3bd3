import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { refundFingerprint } from '../../src/client/reintegro-client.ts';
import { turnAwaitedSignal } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

describe('refundWorkflow, started for another request than the one on record', () => {
  it('should say so, do nothing, keep nobody waiting, and make room for the right request (R8, I3)', async () => {
    // One of two requests under a key is on record, and its Workflow is gone: the other one comes first.
    const onRecord = { merchantId: 'mer_1', orderId: 'ord_1', amountMinor: 5000, idempotencyKey: 'one-key', requestedBy: 'key_1' };
    const script = scriptActivities().on('reserveRefund', { kind: 'other_request', fingerprint: refundFingerprint(onRecord) }, reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ ...onRecord, amountMinor: 6000 });
      const answers: Promise<unknown>[] = [];
      // Both are there before the Workflow can know that there is nothing to call off.
      await stage.whileWorkerIsGone(async () => {
        answers.push(refund.begin().catch((error: unknown) => error));
        await eventually(async () => expect((await refund.handle.describe()).status.name).toBe('RUNNING'));
        answers.push(refund.cancel().catch((error: unknown) => error));
        await refund.handle.signal(turnAwaitedSignal);
      });
      const [begun, cancelled] = answers;
      expect(await begun).toMatchObject({ name: 'KeyReusedError' });
      expect(await cancelled).toMatchObject({ name: 'NotCancellableError' });
      await eventually(async () => expect((await refund.handle.describe()).status.name).toBe('FAILED'));
      expect([...script.calls('submitRefund'), ...script.calls('cancelRefund')]).toEqual([]);
      expect(await stage.refund(onRecord).begin()).toMatchObject({ kind: 'answered', view: { status: 'refunded' } });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});
