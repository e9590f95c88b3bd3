import type { CaseKind, LegResolution } from '../src/domain/case.ts';
import type { Checkpoint, CheckpointKind, DecidedCheckpoint, RefundDemands } from '../src/domain/checkpoint.ts';
import type { LegStatus } from '../src/domain/leg.ts';
import type { RefundDetails } from '../src/domain/refund-details.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import type { RefundStatus } from '../src/domain/refund-status.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';

/** A JSON object that travels unread. */
export type Metadata = { readonly [key: string]: unknown };

/** What starts a refund: plain JSON, no secrets. Amounts in minor units. */
export interface RefundRequest extends RefundDemands {
  readonly merchantId: string;
  /** Derived from merchant, order and idempotency key (R11). */
  readonly refundId: string;
  /** Where the order was paid; the merchant's own provider when omitted. */
  readonly provider?: string;
  readonly orderId: string;
  /** One charge only; omitted means the whole order (R1). */
  readonly chargeId?: string;
  /** Omitted means what remains (M5). */
  readonly amountMinor?: number;
  readonly reason?: string;
  readonly details?: RefundDetails;
  readonly idempotencyKey: string;
  /** SHA-256 of the canonical request body: another body under the same key is refused (R8). */
  readonly fingerprint: string;
  /** Who asked, as an identifier of a key or a service, never of a person. */
  readonly requestedBy: string;
}

/** What a refund's Workflow is started with: its fingerprint is in its memo. Histories from before hold it here. */
export type RefundStart = Omit<RefundRequest, 'fingerprint'> & { readonly fingerprint?: string };

/** The execution that acts, for the `transitions` table (O3). */
export interface WorkflowRef {
  readonly workflowId: string;
  readonly runId: string;
}

/** Names something in a call of an Activity: which execution calls need not be said. */
export type Named<Ref extends WorkflowRef> = Omit<Ref, keyof WorkflowRef>;

/** Activities as Workflows call them: which execution calls is known where they run, and need not be in every history. */
export type Called<Activities> = {
  [Name in keyof Activities]: Activities[Name] extends (input: infer Input) => infer Result ? (input: Omit<Input, keyof WorkflowRef>) => Result : never;
};

/** One leg as a reservation answers it: its id is left out where it is the one derived from refund and charge. */
export type ToldLeg = Omit<LegPlan, 'legId'> & { readonly legId?: string };

/** One leg as reserved: what to send, and whether the charge's gate is ours already (S5). */
export interface LegPlan {
  readonly legId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly hasTurn: boolean;
  /** The last send that is on record: a Workflow that begins again looks for it before it sends. Absent: there was none. */
  readonly lastSend?: number;
}

/** What `reserveRefund` answers: the plan, or the refusal that is now on record. */
export type ReserveRefundResult =
  | {
      readonly kind: 'reserved';
      readonly provider: string;
      readonly currency: string;
      readonly amountMinor: number;
      readonly legs: readonly ToldLeg[];
      readonly protocol: SendProtocol;
      /** A leg went out before this run began: its Workflow was reset, and cancelling is over (R4). Absent: none did. */
      readonly alreadySent?: boolean;
      /** The stops before the send that are still ahead, in order (R3, R5). Absent: there are none. */
      readonly checkpoints?: readonly Checkpoint[];
      /** Of the request on record (R8); absent when it is the one asked with. */
      readonly fingerprint?: string;
      /** Who asked for the refund on record; absent when it is who asks. */
      readonly requestedBy?: string;
    }
  /** The key stands for another request, which is on record and not over: nothing was done (R8). */
  | { readonly kind: 'other_request'; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly refusal: RefundRefusal; readonly fingerprint?: string }
  /** The refund is on record and final already: its Workflow was started again after Temporal forgot it (R8). The fingerprint is the recorded request's. */
  | { readonly kind: 'concluded'; readonly status: RefundStatus; readonly statusDetail: string; readonly fingerprint: string }
  /** The provider would not show the order: the refund is on record, nothing is held, to be tried again. */
  | { readonly kind: 'not_yet'; readonly retryAfterMs: number | null };

/** Names one refund in every call about it. */
export interface RefundRef extends WorkflowRef {
  readonly merchantId: string;
  readonly refundId: string;
}

/** Names one leg of one refund in every call about it. */
export interface LegRef extends RefundRef {
  readonly legId: string;
}

/** Who acts and why, for the audit trail (O3). The actor is an identifier of a key, a service or an operator, never personal data. */
export interface Act {
  readonly actor: string;
  readonly reason: string;
}

/** The leg that has the charge's gate while another waits: whom to ask whether it is still at work. */
export interface TurnHolder {
  readonly workflowId: string;
  readonly refundId: string;
  readonly legId: string;
  /** Something of it may be under way at the provider. */
  readonly wasSent: boolean;
  /** What its Workflow was started with, as the records tell. */
  readonly request: RefundRequest;
}

/** One send of a leg. `sendNumber` counts from 1 and fences attempts that were given up (S4). */
export interface SubmitRefundInput extends LegRef {
  readonly sendNumber: number;
}

/** A Workflow that waits for a charge's gate and may go on now (S5). */
export interface NextTurn {
  readonly workflowId: string;
  readonly legId: string;
}

/** Facts that every settled answer carries: the refund as the transaction left it. */
export interface Settled {
  readonly refundStatus: RefundStatus;
  readonly statusDetail: string;
  readonly nextTurn: NextTurn | null;
  /** The leg as the transaction left it; absent in histories from before it was answered, where every answer was final. */
  readonly legStatus?: LegStatus;
}

/** A classified answer of a send (S4). `unknown` and `not_sent` keep the charge's gate; the others freed it. */
export type SendOutcome = ({ readonly kind: 'accepted' } & Settled) | ({ readonly kind: 'declined' } & Settled) | Unsettled;

/** A send that settles nothing: the provider did not take it, or it may have been executed. */
export type Unsettled = { readonly kind: 'unknown' } | { readonly kind: 'not_sent'; readonly retryAfterMs: number | null };

/** What a look at the provider says about a leg whose outcome was unknown (S4). */
export type FindOutcome = ({ readonly kind: 'found' } & Settled) | ({ readonly kind: 'declined' } & Settled) | NotFound;

/** A look that settles nothing. */
export type NotFound =
  /** The provider surely has not executed it. */
  | { readonly kind: 'absent' }
  /** It was never sent: the Activity died before its commit, or was fenced off. */
  | { readonly kind: 'never_sent' }
  /** The lost Activity may still be calling: look again after this pause, milliseconds. */
  | { readonly kind: 'too_early'; readonly waitMs: number };

/** A case for a human (O1). */
export interface OpenCaseInput extends WorkflowRef {
  readonly merchantId: string;
  readonly kind: CaseKind;
  readonly refundId?: string;
  readonly payoutOrderId?: string;
  readonly legId?: string;
}

/** What a human said about a leg, and what came of it: settled, or why the word could not be taken. */
export type ResolveOutcome =
  | ({ readonly kind: 'settled' } & Settled)
  /** Nothing was done; each reason is explained with `ActRefusal` in `workflows/messages.ts`. */
  | { readonly kind: 'refused'; readonly why: 'provider_refund_taken' | 'never_sent' | 'other_amount' | 'provider_says_otherwise' | 'not_shown_by_provider' | 'too_early' };

/** What the provider says of a refund it accepted: known, or not shown. */
export type FollowOutcome = ({ readonly kind: 'known' } & Settled) | { readonly kind: 'not_shown' };

/** How a refund ends that was never sent. */
export interface UnsentEnding {
  readonly status: 'cancelled' | 'rejected' | 'dismissed';
  readonly statusDetail: string;
  readonly reason?: string;
}

/**
 * Side effects of a refund. `submitRefund`, `findRefund`, `followRefund` and `reviewRefund` call the provider; the others touch the database,
 * and `reserveRefund` may read the order.
 */
export interface RefundActivities {
  /** One transaction: idempotency row, charge locks, legs, `pending`, event (M3, R1). Reads the order first when it is not on record. */
  reserveRefund(input: RefundRequest & WorkflowRef): Promise<ReserveRefundResult>;
  /** Writes down that the refund stops at a checkpoint (R3, R5); `isBeyond` when it is past it on record. */
  enterCheckpoint(input: RefundRef & { readonly checkpoint: CheckpointKind }): Promise<{ readonly isBeyond: boolean }>;
  /** Writes down who let the refund pass, and why (R3, O3). */
  passCheckpoint(input: RefundRef & { readonly checkpoint: DecidedCheckpoint } & Act): Promise<void>;
  /** Takes the charge's gate if it is this leg's turn (S5); if not, tells whose it is. */
  takeTurn(leg: LegRef): Promise<{ readonly hasTurn: boolean; readonly holder?: TurnHolder | null }>;
  /** Takes the gate from a leg that was never sent and whose Workflow is gone; its hold stays. */
  loseTurn(leg: LegRef): Promise<{ readonly nextTurn: NextTurn | null }>;
  /** Ends a refund that was never sent: releases reservations and gates in one transaction (M4, R4). `cancelled` by request unless told otherwise. `isTooLate`: something was sent after all, nothing was done. */
  cancelRefund(input: RefundRef & { readonly actor: string; readonly ending?: UnsentEnding }): Promise<{ readonly nextTurns: readonly NextTurn[]; readonly isTooLate?: boolean }>;
  /** Commits `sending`, calls the provider once, settles (S4). Never retried by Temporal. */
  submitRefund(input: SubmitRefundInput): Promise<SendOutcome>;
  /** Asks the provider what became of a leg, after the settle delay. Retried by Temporal: it only reads, then settles. */
  findRefund(input: SubmitRefundInput): Promise<FindOutcome>;
  /** Asks the provider how a refund stands that it accepted (R6). Retried by Temporal. */
  followRefund(leg: LegRef): Promise<FollowOutcome>;
  /** Compares the provider's refunds with the legs that succeeded, and books late failures (R9). Retried by Temporal. */
  reviewRefund(refund: RefundRef & { readonly orderId: string }): Promise<{ readonly failedLate: boolean }>;
  /** Settles a leg by the word of a human (O2). */
  resolveLeg(input: LegRef & Act & { readonly resolution: LegResolution }): Promise<ResolveOutcome>;
  /** Writes an operator's act down that changes no status (O3). */
  recordAct(input: RefundRef & Act & { readonly act: 'retried' }): Promise<void>;
  /** Opens a case once per subject and kind, and marks the record. */
  openCase(input: OpenCaseInput): Promise<void>;
  /** Takes note of a refund's cases of one kind (O2, O3). */
  closeCase(input: RefundRef & Act & { readonly caseKind: CaseKind }): Promise<void>;
}
