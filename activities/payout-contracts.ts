import type { PayoutOrderTerms } from '../src/domain/payout-order-terms.ts';
import type { PayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { SendProtocol } from '../src/domain/send-protocol.ts';
import type { Act, Metadata, NotFound, OpenCaseInput, Unsettled, WorkflowRef } from './contracts.ts';

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
  /** The last send on record, where there is one: a Workflow that begins again looks for it before it sends. */
  readonly lastSend?: number;
  /** Where a Workflow begins again that had its reference already: it goes on from here. Absent in histories from before it was answered. */
  readonly standing?: PayoutOrderStanding;
  /** How often the provider is asked of its own accord, milliseconds: only for one that sends no webhooks (P8). */
  readonly pollMs?: number;
}

/** A payout order whose reference was issued, as the records have it. */
export interface PayoutOrderStanding {
  readonly status: PayoutOrderStatus;
  readonly needsAttention: boolean;
  /** When our records learned that the withdrawal began, ISO-8601 UTC; `null` when it did not. */
  readonly withdrawalBegunAt: string | null;
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
export type AskCause = 'fact' | 'window_ended' | 'cancel' | 'expiry' | 'poll' | 'retry';

/** A reference that is to be voided, and why. */
export interface VoidInput extends PayoutOrderRef {
  readonly cause: 'cancel' | 'expiry';
  readonly actor: string;
  /** A withdrawal was told that the provider did not show yet: its time being over is no reason to void it then (P3). */
  readonly isWithdrawalTold?: boolean;
}

/** Side effects of a payout order. `registerPayoutOrder`, `recordPayoutAct` and `openCase` touch the database only. */
export interface PayoutActivities {
  /** One transaction: idempotency row, payout order `open`, event (P1). */
  registerPayoutOrder(input: PayoutOrderRequest & WorkflowRef): Promise<PayoutOrderPlan>;
  /** Asks the provider for the reference, once; settles `pending` (P1). Never retried by Temporal. */
  issueReference(input: PayoutOrderRef & { readonly sendNumber: number }): Promise<PayoutOutcome | Unsettled>;
  /** Finds the reference by our own id after a lost answer, and settles; `absent` when the provider surely has none; with `isLast` that settles it, too: never issued. Retried by Temporal. */
  findReference(input: PayoutOrderRef & { readonly sendNumber: number; readonly isLast?: boolean }): Promise<PayoutOutcome | NotFound>;
  /** Asks the provider to void the reference, once; settles `cancelled` or `expired` by its verified answer (P2, P4). Never retried by Temporal. */
  voidReference(input: VoidInput): Promise<PayoutOutcome | Unsettled>;
  /** Reads the provider's state and follows it (P2). Retried by Temporal. */
  followPayoutOrder(input: PayoutOrderRef & { readonly cause: AskCause; readonly actor: string }): Promise<PayoutOutcome>;
  /** Writes an operator's act down that changes no status (O3). */
  recordPayoutAct(input: PayoutOrderRef & Act & { readonly act: 'retried' }): Promise<void>;
  openCase(input: OpenCaseInput): Promise<void>;
}
