import { isCancellableRefundStatus } from './refund-status.ts';
import type { RefundStatus } from './refund-status.ts';

/** What a merchant demands of every refund before it is sent (R3, R5). */
export interface RefundPolicy {
  /** Refunds of at least this amount, minor units, need a second person; `null`: none does. */
  readonly reviewThresholdMinor: number | null;
  readonly reviewExpiryMs: number;
  /** Whether the payer must confirm every refund. */
  readonly requirePayerConfirmation: boolean;
  readonly payerConfirmationExpiryMs: number;
  /** How long every refund may still be called off before it is sent. */
  readonly cancellationWindowMs: number;
}

/** What one request demands on top of the policy. It can add checkpoints, never take one away. */
export interface RefundDemands {
  readonly requireReview?: boolean | undefined;
  readonly requirePayerConfirmation?: boolean | undefined;
  /** ISO-8601; not sent before. */
  readonly executeAt?: string | undefined;
  readonly cancellationWindowSeconds?: number | undefined;
}

/** A stop before the send, and how long it lasts at most. The names are those of the statuses. */
export type Checkpoint =
  | { readonly kind: 'validate'; readonly expiresAfterMs: number }
  | { readonly kind: 'review'; readonly expiresAfterMs: number }
  /** Not sent before `executeAt`, nor before the window, counted from here, is over. */
  | { readonly kind: 'deferred'; readonly executeAt: string | null; readonly windowMs: number };

/** The longest cancellation window that a policy or a request may ask for. */
export const MAX_CANCELLATION_WINDOW_SECONDS = 30 * 24 * 3600;

/** The statuses of checkpoints. */
export type CheckpointKind = Checkpoint['kind'];

/** The order in which a refund meets its checkpoints (PRODUCT §5). */
const ORDER: readonly CheckpointKind[] = ['validate', 'review', 'deferred'];

/** Checkpoints at which somebody decides; at the others only time does. */
export type DecidedCheckpoint = Exclude<CheckpointKind, 'deferred'>;

/** `status_detail` of a refund that has passed the checkpoint whose status it still has. */
export const PASSED_DETAIL = { validate: 'confirmed', review: 'reviewed' } as const satisfies Record<DecidedCheckpoint, string>;

/** Thrown for a demand that cannot be read: nothing may be sent on a guess of what was meant. */
export class UnreadableDemandError extends Error {
  override readonly name = 'UnreadableDemandError';
}

/** Refuses demands that cannot be read. @throws UnreadableDemandError */
export function checkDemands({ executeAt, cancellationWindowSeconds = 0 }: RefundDemands): void {
  if (executeAt !== undefined && Number.isNaN(Date.parse(executeAt))) throw new UnreadableDemandError('"executeAt" is not a time');
  if (!Number.isSafeInteger(cancellationWindowSeconds) || cancellationWindowSeconds < 0) throw new UnreadableDemandError('"cancellationWindowSeconds" is not a time span');
}

/**
 * The checkpoints of a refund, in order. Pure: `nowMs` is the time of its reservation, milliseconds since 1970.
 * @throws UnreadableDemandError
 */
export function checkpointsFor(policy: RefundPolicy, demands: RefundDemands, amountMinor: number, nowMs: number): readonly Checkpoint[] {
  checkDemands(demands);
  const checkpoints: Checkpoint[] = [];
  if (policy.requirePayerConfirmation || demands.requirePayerConfirmation === true) checkpoints.push({ kind: 'validate', expiresAfterMs: policy.payerConfirmationExpiryMs });
  const isLarge = policy.reviewThresholdMinor !== null && amountMinor >= policy.reviewThresholdMinor;
  if (isLarge || demands.requireReview === true) checkpoints.push({ kind: 'review', expiresAfterMs: policy.reviewExpiryMs });
  const windowMs = Math.max(policy.cancellationWindowMs, (demands.cancellationWindowSeconds ?? 0) * 1000);
  const executeAt = demands.executeAt !== undefined && Date.parse(demands.executeAt) > nowMs ? demands.executeAt : null;
  if (executeAt !== null || windowMs > 0) checkpoints.push({ kind: 'deferred', executeAt, windowMs });
  return checkpoints;
}

/** The checkpoints that a refund on record has still before it, for a Workflow that begins again. */
export function remainingCheckpoints(all: readonly Checkpoint[], status: RefundStatus, statusDetail: string): readonly Checkpoint[] {
  if (!isCancellableRefundStatus(status)) return [];
  const at = ORDER.findIndex((kind) => kind === status);
  if (at === -1) return all;
  const kind = ORDER[at];
  const hasPassed = (kind === 'validate' || kind === 'review') && statusDetail === PASSED_DETAIL[kind];
  return all.filter((checkpoint) => ORDER.indexOf(checkpoint.kind) >= (hasPassed ? at + 1 : at));
}

/** When a `deferred` checkpoint that is reached at `nowMs` is over, milliseconds since 1970. */
export function deferredUntilMs({ executeAt, windowMs }: Extract<Checkpoint, { kind: 'deferred' }>, nowMs: number): number {
  return Math.max(executeAt === null ? nowMs : Date.parse(executeAt), nowMs + windowMs);
}
