import type { PayoutOrderTerms } from '../src/domain/payout-order-terms.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import type { RefundStatus } from '../src/domain/refund-status.ts';
import type { PayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';

/** A JSON object that travels unread. */
export type Metadata = { readonly [key: string]: unknown };

/** What starts a refund: plain JSON, no secrets. Amounts in minor units. */
export interface RefundRequest {
  readonly merchantId: string;
  /** Derived from merchant, order and idempotency key (R11). */
  readonly refundId: string;
  readonly orderId: string;
  /** One charge only; omitted means the whole order (R1). */
  readonly chargeId?: string;
  /** Omitted means what remains (M5). */
  readonly amountMinor?: number;
  readonly reason?: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the canonical request body: another body under the same key is refused (R8). */
  readonly fingerprint: string;
  /** Who asked, as an identifier of a key or a service, never of a person. */
  readonly requestedBy: string;
}

/** The execution that acts, for the `transitions` table (O3). */
export interface WorkflowRef {
  readonly workflowId: string;
  readonly runId: string;
}

/** One leg as reserved: what to send, and whether the charge's gate is ours already (S5). */
export interface LegPlan {
  readonly legId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly hasTurn: boolean;
}

/** What `reserveRefund` answers: the plan, or the refusal that is now on record. */
export type ReserveRefundResult =
  | {
      readonly kind: 'reserved';
      readonly provider: string;
      readonly currency: string;
      readonly amountMinor: number;
      readonly legs: readonly LegPlan[];
      readonly protocol: SendProtocol;
      /** A leg went out before this run began: its Workflow was reset, and cancelling is over (R4). */
      readonly alreadySent: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: RefundRefusal }
  /** The refund is on record and final already: its Workflow was started again after Temporal forgot it (R8). The fingerprint is the recorded request's. */
  | { readonly kind: 'concluded'; readonly status: RefundStatus; readonly statusDetail: string; readonly fingerprint: string }
  /** The provider would not show the order: the refund is on record, nothing is held, to be tried again. */
  | { readonly kind: 'not_yet'; readonly retryAfterMs: number | null };

/** Names one leg of one refund in every call about it. */
export interface LegRef extends WorkflowRef {
  readonly merchantId: string;
  readonly refundId: string;
  readonly legId: string;
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

/** The kinds of cases (O1). */
export type CaseKind = 'outcome_unknown' | 'unreadable_answer' | 'late_failure' | 'late_reversal' | 'contradiction' | 'waited_too_long';

/** Side effects of a refund. `reserveRefund`, `takeTurn`, `cancelRefund` and `openCase` touch the database (and read the order); the others call the provider. */
export interface RefundActivities {
  /** One transaction: idempotency row, charge locks, legs, `pending`, event (M3, R1). Reads the order first when it is not on record. */
  reserveRefund(input: RefundRequest & WorkflowRef): Promise<ReserveRefundResult>;
  /** Takes the charge's gate if it is this leg's turn (S5). */
  takeTurn(leg: LegRef): Promise<{ readonly hasTurn: boolean }>;
  /** Calls the refund off: releases reservations and gates in one transaction (M4, R4). */
  cancelRefund(input: WorkflowRef & { readonly merchantId: string; readonly refundId: string; readonly actor: string }): Promise<{ readonly nextTurns: readonly NextTurn[] }>;
  /** Commits `sending`, calls the provider once, settles (S4). Never retried by Temporal. */
  submitRefund(input: SubmitRefundInput): Promise<SendOutcome>;
  /** Asks the provider what became of a leg, after the settle delay. Retried by Temporal: it only reads, then settles. */
  findRefund(input: SubmitRefundInput): Promise<FindOutcome>;
  /** Opens a case once per subject and kind, and marks the record. */
  openCase(input: OpenCaseInput): Promise<void>;
}

/** What starts a payout order: plain JSON, no secrets. */
export interface PayoutOrderRequest extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  /** ISO-8601 UTC. */
  readonly expiresAt: string;
  readonly metadata: Metadata;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly requestedBy: string;
}

/** What `registerPayoutOrder` answers: the rules recorded in history. */
export interface PayoutOrderPlan {
  readonly provider: string;
  readonly confirmationWindowMs: number;
  readonly protocol: SendProtocol;
  /** Of the recorded request: another one under the same key does not match (R8). */
  readonly fingerprint: string;
}

/** Names one payout order in every call about it. */
export interface PayoutOrderRef extends WorkflowRef {
  readonly merchantId: string;
  readonly payoutOrderId: string;
}

/** What is known about a payout order: the record as the transaction left it, and how the provider answered. */
export interface PayoutOutcome {
  readonly kind: 'settled' | 'declined' | 'contradiction';
  readonly status: PayoutOrderStatus;
}

/** Why the provider is asked about a payout order. */
export type AskCause = 'fact' | 'window_ended' | 'cancel' | 'expiry';

/** Side effects of a payout order. `registerPayoutOrder` and `openCase` touch the database only. */
export interface PayoutActivities {
  /** One transaction: idempotency row, payout order `open`, event (P1). */
  registerPayoutOrder(input: PayoutOrderRequest & WorkflowRef): Promise<PayoutOrderPlan>;
  /** Asks the provider for the reference, once; settles `pending` (P1). Never retried by Temporal. */
  issueReference(input: PayoutOrderRef & { readonly sendNumber: number }): Promise<PayoutOutcome | Unsettled>;
  /** Finds the reference by our own id after a lost answer, and settles; `absent` when the provider surely has none; with `isLast` that settles it, too: never issued. Retried by Temporal. */
  findReference(input: PayoutOrderRef & { readonly sendNumber: number; readonly isLast?: boolean }): Promise<PayoutOutcome | NotFound>;
  /** Asks the provider to void the reference, once; settles `cancelled` or `expired` by its verified answer (P2, P4). Never retried by Temporal. */
  voidReference(input: PayoutOrderRef & { readonly cause: 'cancel' | 'expiry'; readonly actor: string }): Promise<PayoutOutcome | Unsettled>;
  /** Reads the provider's state and follows it (P2). Retried by Temporal. */
  followPayoutOrder(input: PayoutOrderRef & { readonly cause: AskCause; readonly actor: string }): Promise<PayoutOutcome>;
  openCase(input: OpenCaseInput): Promise<void>;
}
