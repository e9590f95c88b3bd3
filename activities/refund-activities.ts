import { closeCase, openCase } from '../src/store/cases.ts';
import { cancelRefund } from '../src/store/refunds/cancel.ts';
import { enterCheckpoint, passCheckpoint, recordAct } from '../src/store/refunds/checkpoints.ts';
import { loseTurn, takeTurn } from '../src/store/refunds/turns.ts';
import type { HolderRecord } from '../src/store/refunds/turns.ts';
import type { Acting } from '../src/store/transitions.ts';
import type { Act, RefundActivities, RefundRef, TurnHolder } from './contracts.ts';
import { withExecution } from './execution.ts';
import { withFailures } from './failures.ts';
import { withHeartbeat } from './heartbeat.ts';
import { followRefund, resolveLeg, reviewRefund } from './refund-following.ts';
import { findRefund, submitRefund } from './refund-sending.ts';
import type { RefundActivityDeps } from './refund-recognition.ts';
import { reserveRefund } from './reserve-refund.ts';

/** Makes the Activities of refunds. */
export function createRefundActivities(deps: RefundActivityDeps): RefundActivities {
  const { db } = deps;
  return withFailures(withExecution<RefundActivities>({
    reserveRefund: (input) => reserveRefund(deps, input),
    enterCheckpoint: async (input) => ({ isBeyond: !(await enterCheckpoint(db, { workflowId: input.workflowId, runId: input.runId, actor: 'reintegro' }, input, input.checkpoint)) }),
    passCheckpoint: (input) => passCheckpoint(db, actingOf(input), input, input.checkpoint),
    takeTurn: async (leg) => {
      const { hasTurn, holder } = await takeTurn(db, leg);
      return { hasTurn, holder: holder === null ? null : holderOf(leg.merchantId, holder) };
    },
    loseTurn: async (leg) => ({ nextTurn: await loseTurn(db, leg) }),
    cancelRefund: async ({ ending, ...input }) => {
      const nextTurns = await cancelRefund(db, { ...input, reason: ending?.reason }, input.merchantId, input.refundId, ending);
      return nextTurns === null ? { nextTurns: [], isTooLate: true } : { nextTurns };
    },
    submitRefund: (input) => withHeartbeat(() => submitRefund(deps, input)),
    findRefund: (input) => withHeartbeat(() => findRefund(deps, input)),
    followRefund: (input) => withHeartbeat(() => followRefund(deps, input)),
    reviewRefund: (input) => withHeartbeat(() => reviewRefund(deps, input)),
    resolveLeg: (input) => withHeartbeat(() => resolveLeg(deps, input)),
    recordAct: (input) => recordAct(db, actingOf(input), input, input.act),
    openCase: (input) => openCase(db, input),
    closeCase: (input) => closeCase(db, actingOf(input), input, input.caseKind),
  }));
}

/** A person's act in the audit trail (O3). */
function actingOf({ workflowId, runId, actor, reason }: RefundRef & Act): Acting {
  return { workflowId, runId, actor, reason };
}

function holderOf(merchantId: string, { workflowId, refundId, legId, wasSent, provider, orderId, chargeId, amountMinor, reason, details, requestedBy, idempotencyKey, fingerprint }: HolderRecord): TurnHolder {
  return {
    workflowId, refundId, legId, wasSent,
    request: {
      merchantId, refundId, provider, orderId, idempotencyKey, fingerprint, requestedBy,
      ...(chargeId === null ? {} : { chargeId }), ...(amountMinor === null ? {} : { amountMinor }), ...(reason === null ? {} : { reason }),
      ...(Object.keys(details).length === 0 ? {} : { details }),
    },
  };
}
