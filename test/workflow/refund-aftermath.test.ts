import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { countOf, needsAttentionUpserts, secondsOfTimers } from './read-history.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const NOTED = { actor: 'op_1', reason: 'told the payer' };
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('refundAftermathWorkflow', () => {
  it('should look once and end when the provider took nothing back (R9)', async () => {
    const script = scriptActivities().on('reviewRefund', { failedLate: false });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const aftermath = refund.aftermath();
      await aftermath.doubt('evt_1');
      await aftermath.wait();
      expect(script.calls('reviewRefund')).toMatchObject([{ refundId: refund.id, orderId: 'ord_1', merchantId: 'mer_1', workflowId: aftermath.workflowId }]);
      expect(script.calls('closeCase')).toEqual([]);
      await expect(aftermath.acknowledge(NOTED)).rejects.toThrow(NotRunningError);
    });
  });

  it('should look again in a new run when there is doubt again (R9)', async () => {
    const script = scriptActivities().on('reviewRefund', { failedLate: false });
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      for (const eventId of ['evt_1', 'evt_2']) {
        await aftermath.doubt(eventId);
        await aftermath.wait();
      }
      expect(new Set(script.calls('reviewRefund').map(({ runId }) => runId)).size).toBe(2);
    });
  });

  it('should stay open after a late failure until somebody takes note of it, with actor and reason on record (R9, O2, O3, A6)', async () => {
    const script = scriptActivities().on('reviewRefund', { failedLate: true });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const aftermath = refund.aftermath();
      await aftermath.doubt('evt_1');
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late[^]*refundable again[^]*an operator to take note[^]*acknowledgeLateFailure/));
      await stage.skipTo((await stage.env.currentTimeMs()) + 90 * 24 * 3_600_000);
      expect((await aftermath.handle.describe()).status.name).toBe('RUNNING');
      expect(script.calls('closeCase')).toEqual([]);
      await aftermath.acknowledge(NOTED);
      expect(script.calls('closeCase')).toMatchObject([{ ...NOTED, caseKind: 'late_failure', refundId: refund.id }]);
      await aftermath.wait();
      expect(needsAttentionUpserts(await aftermath.events())).toEqual([false, true, false]);
      expect(countOf(await aftermath.events(), 'timerStarted')).toBe(0);
    });
  });

  it('should be answered only when it is on record that note was taken, once for all who do (O3)', async () => {
    const writing = latch();
    const script = scriptActivities().on('reviewRefund', { failedLate: true }).on('closeCase', () => writing.opened);
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late/));
      let answered = 0;
      const count = (): void => void (answered += 1);
      const first = aftermath.acknowledge(NOTED).then(count);
      await eventually(() => expect(script.calls('closeCase')).toHaveLength(1));
      const second = aftermath.acknowledge({ actor: 'op_2', reason: 'me, too' }).then(count);
      await eventually(async () => expect(countOf(await aftermath.events(), 'workflowExecutionUpdateAccepted')).toBe(2));
      expect(answered).toBe(0);
      writing.open();
      await Promise.all([first, second]);
      await aftermath.wait();
      expect(script.calls('closeCase')).toMatchObject([NOTED]);
    });
  });

  it('should refuse an acknowledgement without actor or reason, and one of what is not known (R9, O3)', async () => {
    const looking = latch();
    const script = scriptActivities().on('reviewRefund', async () => {
      await looking.opened;
      return { failedLate: true };
    });
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await eventually(() => expect(script.calls('reviewRefund')).toHaveLength(1));
      await expect(aftermath.acknowledge(NOTED)).rejects.toMatchObject({ name: 'ActRefusedError', message: expect.stringContaining('no late failure is known') });
      looking.open();
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late/));
      for (const act of [{ ...NOTED, actor: '' }, { ...NOTED, reason: '' }]) {
        await expect(aftermath.acknowledge(act)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'malformed', view: null });
      }
      expect(script.calls('closeCase')).toEqual([]);
    });
  });

  it('should look again on further word while it waits for somebody to take note (R9)', async () => {
    const script = scriptActivities().on('reviewRefund', { failedLate: true });
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late/));
      await aftermath.doubt('evt_2');
      await eventually(() => expect(script.calls('reviewRefund')).toHaveLength(2));
      expect(await detailsOf(aftermath)).toMatch(/failed late/);
      await aftermath.acknowledge(NOTED);
      await aftermath.wait();
      expect(new Set(script.calls('reviewRefund').map(({ runId }) => runId)).size).toBe(1);
      expect(script.calls('closeCase')).toMatchObject([NOTED]);
    });
  });

  it('should end when a further look finds no open case any more (R9)', async () => {
    const script = scriptActivities().on('reviewRefund', { failedLate: true }, { failedLate: false });
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late/));
      await aftermath.doubt('evt_2');
      await aftermath.wait();
      expect(script.calls('closeCase')).toEqual([]);
    });
  });

  it('should look into word that comes while note is being taken, and wait for another note (R9)', async () => {
    const writing = latch();
    const script = scriptActivities().on('reviewRefund', { failedLate: true }).on('closeCase', () => writing.opened, undefined);
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await eventually(async () => expect(await detailsOf(aftermath)).toMatch(/failed late/));
      const first = aftermath.acknowledge(NOTED);
      await eventually(() => expect(script.calls('closeCase')).toHaveLength(1));
      await aftermath.doubt('evt_2');
      await eventually(async () => expect(countOf(await aftermath.events(), 'workflowExecutionSignaled')).toBe(2));
      writing.open();
      await first;
      await eventually(() => expect(script.calls('reviewRefund')).toHaveLength(2));
      await eventually(() => aftermath.acknowledge({ actor: 'op_2', reason: 'this one, too' }));
      await aftermath.wait();
      expect(script.calls('closeCase')).toMatchObject([NOTED, { actor: 'op_2' }]);
    });
  });

  it('should ask a silent provider again, with growing pauses, tell a human, and take that back when it answers (R9, S7, O1)', async () => {
    const script = scriptActivities().on('reviewRefund', () => {
      if (script.calls('reviewRefund').length <= 6) throw ApplicationFailure.nonRetryable('the provider does not answer');
      return { failedLate: false };
    });
    await onStage(server.env, script, async (stage) => {
      const aftermath = stage.refund().aftermath();
      await aftermath.doubt('evt_1');
      await aftermath.wait();
      expect(secondsOfTimers(await aftermath.events())).toEqual([32, 64, 128, 256, 512, 1024]);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'unreadable_answer' }]);
      expect(script.calls('closeCase')).toMatchObject([{ caseKind: 'unreadable_answer' }]);
    });
  });
});
