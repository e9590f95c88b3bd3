import { condition } from '@temporalio/workflow';
import { deferredUntilMs, PASSED_DETAIL } from '../src/domain/checkpoint.ts';
import type { Checkpoint, CheckpointKind, DecidedCheckpoint } from '../src/domain/checkpoint.ts';
import type { RefundEvent } from '../src/domain/refund.ts';
import type { UnsentEnding } from '../activities/contracts.ts';
import * as activities from './activity-options.ts';
import { overtakeDecisions, takeDecision } from './refund-decisions.ts';
import { apply, publish, refundRef, show } from './refund-run.ts';
import type { Decision, RefundRun } from './refund-run.ts';

/** How a stop before the send ended: passed, called off by a caller, or over for the refund. */
type Passage = 'passed' | 'called_off' | Ending;

/** How a checkpoint ends a refund: by whose word, or because time ran out. */
export interface Ending extends UnsentEnding {
  readonly actor: string;
  /** The decision that ends it: its verdict is given once the end is on record. */
  readonly decision: Decision | null;
}

/** What a refund works on between two stops: callers wait for the next one. */
const CHECKPOINT = 'checkpoint';

const ARRIVALS = {
  validate: { type: 'payer_confirmation_asked' }, review: { type: 'approval_asked' }, deferred: { type: 'deferred' },
} as const satisfies Record<CheckpointKind, RefundEvent>;

const WAITS_FOR = {
  validate: 'the payer to confirm or contest', review: 'a second person of the merchant to approve or refuse', deferred: 'its time of execution; it may still be called off',
} as const satisfies Record<CheckpointKind, string>;

/**
 * Passes the stops before the send in order (R3, R5). Answers how the refund ends instead when one of them ends it, `called_off` when
 * a caller does, which comes first whatever else has happened: nothing has been sent yet.
 */
export async function passCheckpoints(run: RefundRun, checkpoints: readonly Checkpoint[]): Promise<Passage> {
  for (const checkpoint of checkpoints) {
    if (run.cancelRequested !== null) return 'called_off';
    run.working.add(CHECKPOINT);
    const { isBeyond } = await activities.enterCheckpoint({ ...refundRef(run), checkpoint: checkpoint.kind });
    if (isBeyond) continue;
    apply(run, ARRIVALS[checkpoint.kind]);
    const passage = await stopAt(run, checkpoint);
    if (passage !== 'passed') return passage;
    overtakeDecisions(run);
  }
  run.working.delete(CHECKPOINT);
  return run.cancelRequested === null ? 'passed' : 'called_off';
}

async function stopAt(run: RefundRun, checkpoint: Checkpoint): Promise<Passage> {
  const nowMs = Date.now();
  if (checkpoint.kind === 'deferred') {
    const untilMs = deferredUntilMs(checkpoint, nowMs);
    const isCalledOff = await waitFor(run, checkpoint.kind, untilMs - nowMs, `deferred until ${new Date(untilMs).toISOString()}`, () => run.cancelRequested !== null);
    return isCalledOff ? 'called_off' : 'passed';
  }
  const { kind, expiresAfterMs } = checkpoint;
  const isAnswered = await waitFor(run, kind, expiresAfterMs, `${kind} runs out of time`, () => run.cancelRequested !== null || run.decisions.length > 0);
  // A request to call it off comes first: it moves no money.
  if (run.cancelRequested !== null) return 'called_off';
  if (!isAnswered) return { status: 'cancelled', statusDetail: 'expired', actor: 'expiry', decision: null };
  return decide(run, kind, takeDecision(run));
}

async function waitFor(run: RefundRun, kind: CheckpointKind, ms: number, summary: string, isOver: () => boolean): Promise<boolean> {
  run.working.delete(CHECKPOINT);
  run.stoppedAt = kind;
  run.waitsFor = WAITS_FOR[kind];
  show(run);
  publish(run);
  try {
    return await condition(isOver, Math.max(1, ms), { summary });
  } finally {
    run.working.add(CHECKPOINT);
    run.stoppedAt = null;
    run.waitsFor = null;
    show(run);
  }
}

async function decide(run: RefundRun, checkpoint: DecidedCheckpoint, decision: Decision): Promise<Passage> {
  const { word, actor, reason } = decision;
  if (word === 'contest') return { status: 'dismissed', statusDetail: 'contested_by_payer', reason, actor, decision };
  if (word === 'reject') return { status: 'rejected', statusDetail: 'refused_in_review', reason, actor, decision };
  await activities.passCheckpoint({ ...refundRef(run), checkpoint, actor, reason });
  run.state = checkpoint === 'review' ? { status: 'review', statusDetail: PASSED_DETAIL.review } : { status: 'validate', statusDetail: PASSED_DETAIL.validate };
  decision.verdict = 'done';
  show(run);
  return 'passed';
}
