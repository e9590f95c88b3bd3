import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ActRefusedError, NotCancellableError } from '../../src/client/client-errors.ts';
import { turnAwaitedSignal } from '../../workflows/messages.ts';
import type { RefundView } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { ACCEPTED, FOLLOWED, FOUND, PROTOCOL, reserved, REVIEW, stopping } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

/** What somebody who acted was told: how the refund stands, and why not if not. */
interface Verdict {
  readonly status: string | undefined;
  readonly refused: string | null;
}

async function verdictOf(act: Promise<RefundView | null>): Promise<Verdict> {
  try {
    return { status: (await act)?.status, refused: null };
  } catch (error) {
    if (!(error instanceof ActRefusedError || error instanceof NotCancellableError)) throw error;
    return { status: error.view?.status, refused: error instanceof ActRefusedError ? error.why : 'not_cancellable' };
  }
}

/** Lets acts of people meet in one Workflow Task, in their order. */
async function meet(stage: Stage, refund: TestRefund, ...acts: readonly (() => Promise<RefundView | null>)[]): Promise<readonly Verdict[]> {
  const verdicts: Promise<Verdict>[] = [];
  await stage.whileWorkerIsGone(async () => {
    for (const act of acts) verdicts.push(verdictOf(act()));
    await refund.handle.signal(turnAwaitedSignal);
  });
  return Promise.all(verdicts);
}

function inReview() {
  return scriptActivities().on('reserveRefund', stopping(REVIEW)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
}

/** One send, whose answer is lost and which no look finds; a retry does. */
function givenUp() {
  return scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, settleDelayMs: 100, maxSends: 1 })).on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' }, FOUND);
}

async function untilGivenUp(refund: TestRefund): Promise<void> {
  await refund.begin();
  await eventually(async () => expect(await detailsOf(refund)).toMatch(/Waits for: a decision on its case/));
}

describe.concurrent('refundWorkflow, decisions in one Workflow Task', () => {
  it('should let the cancel win that meets an approval, and send nothing (R3, R4)', async () => {
    const script = inReview();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const [approval, cancel] = await meet(stage, refund, () => refund.approve(), () => refund.cancel());
      expect(cancel).toEqual({ status: 'cancelled', refused: null });
      expect(approval).toEqual({ status: 'cancelled', refused: 'overtaken' });
      expect(await refund.wait()).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect([...script.calls('passCheckpoint'), ...script.calls('takeTurn'), ...script.calls('submitRefund')]).toEqual([]);
    });
  });

  it('should let one of two decisions win, and tell the other how the refund stands (R3)', async () => {
    const script = inReview();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const [approval, rejection] = await meet(stage, refund, () => refund.approve(), () => refund.reject());
      const isApproved = approval?.refused === null;
      if (isApproved) expect([approval, rejection]).toEqual([{ status: 'review', refused: null }, { status: 'review', refused: 'overtaken' }]);
      else expect([approval, rejection]).toEqual([{ status: 'rejected', refused: 'overtaken' }, { status: 'rejected', refused: null }]);
      expect(await refund.wait()).toMatchObject({ status: isApproved ? 'refunded' : 'rejected' });
      expect([script.calls('passCheckpoint').length, script.calls('cancelRefund').length]).toEqual(isApproved ? [1, 0] : [0, 1]);
    });
  });
});

describe.concurrent('refundWorkflow, acts of operators in one Workflow Task', () => {
  it('should retry once for two who ask for it, and tell the other that it is over (O2, S4)', async () => {
    const script = givenUp();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(refund);
      const verdicts = await meet(stage, refund, () => refund.retry({ actor: 'op_1', reason: 'again' }), () => refund.retry({ actor: 'op_2', reason: 'again' }));
      expect(verdicts.map(({ refused }) => refused)).toSatisfy((refused: unknown[]) => refused.includes(null) && refused.includes('overtaken'));
      expect(script.calls('recordAct')).toMatchObject([{ actor: verdicts[0]?.refused === null ? 'op_1' : 'op_2' }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should take the first of two words about a leg, and tell the other that it is over (O2)', async () => {
    const script = givenUp().on('resolveLeg', { ...FOLLOWED.rejected, kind: 'settled', statusDetail: 'resolved_as_failed' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(refund);
      const verdicts = await meet(
        stage, refund, () => refund.resolve({ actor: 'op_1', reason: 'nothing there', outcome: 'failed' }), () => refund.resolve({ actor: 'op_2', reason: 'nothing', outcome: 'failed' }),
      );
      const winner = verdicts.findIndex(({ refused }) => refused === null);
      expect(verdicts[winner]).toEqual({ status: 'rejected', refused: null });
      expect(verdicts[1 - winner]).toEqual({ status: 'rejected', refused: 'overtaken' });
      expect(script.calls('resolveLeg')).toMatchObject([{ actor: ['op_1', 'op_2'][winner], resolution: { outcome: 'failed' } }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});
