import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import type { LegPlan, LegRef, Named, RefundRef, RefundRequest, RefundStart, ReserveRefundResult } from '../activities/contracts.ts';
import type { CaseKind, LegResolution } from '../src/domain/case.ts';
import type { CheckpointKind } from '../src/domain/checkpoint.ts';
import type { LegStatus } from '../src/domain/leg.ts';
import { formatMoney } from '../src/domain/money.ts';
import { applyRefundEvent, INITIAL_REFUND_STATE } from '../src/domain/refund.ts';
import type { RefundEvent, RefundState } from '../src/domain/refund.ts';
import { isRefused } from '../src/domain/rejections.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import { isFinalRefundStatus } from '../src/domain/refund-status.ts';
import * as activities from './activity-options.ts';
import { showDetails } from './details.ts';
import type { ActRefusal, CancelRequest, OperatorAct, RefundView } from './messages.ts';
import { FINGERPRINT_MEMO } from './ids.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** What a person decided at a checkpoint, and whether it counted. */
export interface Decision extends OperatorAct {
  readonly word: 'approve' | 'reject' | 'confirm' | 'contest';
  verdict: 'open' | 'done' | 'overtaken';
}

/** What an operator wants done about a leg that waits, and what came of it. */
export interface Intervention extends OperatorAct {
  readonly legId: string | null;
  /** `null`: try again now. */
  readonly resolution: LegResolution | null;
  verdict: 'open' | 'done' | ActRefusal;
}

/** What a refund does, as its reservation recorded it. */
export type Reserved = Omit<Extract<ReserveRefundResult, { kind: 'reserved' }>, 'legs'> & { readonly legs: readonly LegPlan[] };

/** The live state of one refund Workflow: what handlers enqueue, what the story decides. */
export interface RefundRun {
  readonly workflowId: string;
  readonly request: RefundRequest;
  state: RefundState;
  refusal: RefundRefusal | null;
  plan: Reserved | null;
  /** Legs whose turn a signal announced (S5). */
  readonly turns: Set<string>;
  /** Somebody asked to cancel; acted upon by the story, never by the handler. */
  cancelRequested: CancelRequest | null;
  /** Something was sent, or is about to be: cancelling is over (R4). */
  sending: boolean;
  /** Legs at work in an Activity; zero while reserved means parked. */
  readonly working: Set<string>;
  /** The checkpoint at which a decision is awaited now. */
  stoppedAt: CheckpointKind | null;
  /** What people decided at it, in the order in which they came. */
  readonly decisions: Decision[];
  /** How far the provider is with legs that it accepted. */
  readonly accepted: Map<string, LegStatus>;
  /** Legs that have an open case. */
  readonly cases: Set<string>;
  /** Legs that wait, and whether that wait may be cut short. */
  readonly pausing: Map<string, { readonly mayHurry: boolean }>;
  /** What operators want done about legs that wait. */
  readonly interventions: Intervention[];
  /** How often its provider told that something happened to the refund. */
  factsTold: number;
  /** The provider would not show the order: callers are answered, the Workflow tries on. */
  orderUnreadable: boolean;
  needsAttention: boolean;
  waitsFor: string | null;
  /** Of the request on record (R8). */
  fingerprint: string;
  /** The search attributes as last written. */
  published: string;
}

/** A run before anything has happened. */
export function newRefundRun(start: RefundStart): RefundRun {
  const { workflowId, memo } = workflowInfo();
  // Kept once in a history: in the memo, which the server shows without a Worker.
  const noted = memo?.[FINGERPRINT_MEMO];
  const request = { ...start, fingerprint: start.fingerprint ?? (typeof noted === 'string' ? noted : '') };
  return {
    request, workflowId, state: INITIAL_REFUND_STATE, refusal: null, plan: null, turns: new Set(),
    cancelRequested: null, sending: false, working: new Set(), stoppedAt: null, decisions: [], accepted: new Map(), cases: new Set(), pausing: new Map(), interventions: [],
    factsTold: 0, orderUnreadable: false, needsAttention: false, waitsFor: null,
    fingerprint: request.fingerprint, published: '',
  };
}

/** Applies an event; one the machine refuses is a defect and stops the Workflow Task for a fix. */
export function apply(run: RefundRun, event: RefundEvent): void {
  const next = applyRefundEvent(run.state, event);
  if (isRefused(next)) throw new Error(`refund machine refused ${next.event} in ${next.from}`);
  run.state = next;
  show(run);
}

/** Puts a leg, or the refund as a whole, before a human (O1). */
export async function openCase(run: RefundRun, kind: CaseKind, leg?: LegPlan): Promise<void> {
  run.needsAttention = true;
  if (leg !== undefined) run.cases.add(leg.legId);
  setDetail(run, 'needs_attention');
  show(run);
  publish(run);
  await activities.openCase({ ...refundRef(run), kind, ...(leg === undefined ? {} : { legId: leg.legId }) });
}

/** Says why a refund is in process. */
export function setDetail(run: RefundRun, statusDetail: Extract<RefundState, { status: 'in_process' }>['statusDetail']): void {
  if (run.state.status === 'in_process') run.state = { status: 'in_process', statusDetail };
}

/** Names the refund in calls of Activities. */
export function refundRef(run: RefundRun): Named<RefundRef> {
  return { merchantId: run.request.merchantId, refundId: run.request.refundId };
}

/** Names one of its legs in calls of Activities. */
export function legRef(run: RefundRun, leg: LegPlan): Named<LegRef> {
  return { ...refundRef(run), legId: leg.legId };
}

/** Runs a wait during which callers are answered with the state as it is. */
export async function parked<T>(run: RefundRun, leg: LegPlan, waitsFor: string, wait: () => Promise<T>): Promise<T> {
  run.working.delete(leg.legId);
  run.waitsFor = waitsFor;
  show(run);
  publish(run);
  try {
    return await wait();
  } finally {
    run.working.add(leg.legId);
    run.waitsFor = null;
    show(run);
  }
}

/** Writes the search attributes when they have changed; call it only in a task that happens anyway (one history event). */
export function publish(run: RefundRun): void {
  const published = `${run.state.status} ${run.needsAttention} ${run.plan !== null}`;
  if (published === run.published) return;
  run.published = published;
  const status: SearchAttributePair = { key: SEARCH_ATTRIBUTES.status, value: run.state.status };
  const attributes: readonly SearchAttributePair[] = [
    status,
    ...(run.plan === null ? [] : [
      { key: SEARCH_ATTRIBUTES.provider, value: run.plan.provider },
      { key: SEARCH_ATTRIBUTES.amount, value: run.plan.amountMinor },
      { key: SEARCH_ATTRIBUTES.currency, value: run.plan.currency },
    ]),
    { key: SEARCH_ATTRIBUTES.needsAttention, value: run.needsAttention },
  ];
  const known = workflowInfo().typedSearchAttributes;
  const changed = attributes.filter(({ key, value }) => known.get(key) !== value);
  // One event in any case: histories of before have it here.
  upsertSearchAttributes(changed.length === 0 ? [status] : [...changed]);
}

/** Who may let a refund pass a checkpoint, and how. */
const UNBLOCKED_BY = {
  validate: 'the payer: update confirmRefund or contestRefund', review: 'a second person: update approveRefund or rejectRefund', deferred: null,
} as const satisfies Record<CheckpointKind, string | null>;

/** Shows the run on the Workflow's page. */
export function show(run: RefundRun): void {
  const { plan, request } = run;
  showDetails({
    title: `Refund ${plan === null ? '' : `${formatMoney(plan)} `}of ${request.orderId}`,
    status: `${run.state.status} (${run.state.statusDetail})`,
    lines: plan === null ? [] : plan.legs.map((leg) => `charge ${leg.chargeId}: ${formatMoney({ amountMinor: leg.amountMinor, currency: plan.currency })}`),
    waitsFor: run.waitsFor,
    unblockedBy: run.needsAttention ? 'an operator: see the case of this refund' : run.stoppedAt === null ? null : UNBLOCKED_BY[run.stoppedAt],
  });
}

/** Whether the refund rests for good. */
export function isFinal(run: RefundRun): boolean {
  return isFinalRefundStatus(run.state.status);
}

/** Whether the refund waits for something that may take long: callers are answered meanwhile. */
export function isParked(run: RefundRun): boolean {
  return run.orderUnreadable || (run.plan !== null && run.working.size === 0);
}

/** The refund as callers see it. */
export function viewOf(run: RefundRun): RefundView {
  return {
    refundId: run.request.refundId, orderId: run.request.orderId, status: run.state.status, statusDetail: run.state.statusDetail,
    refusal: run.refusal, amountMinor: run.plan?.amountMinor ?? null, currency: run.plan?.currency ?? null,
    fingerprint: run.fingerprint, needsAttention: run.needsAttention,
  };
}
