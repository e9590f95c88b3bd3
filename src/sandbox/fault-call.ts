import { ConektaError } from './conekta-error.ts';
import { rateLimited, systemFailure, unavailable } from './conekta-refusals.ts';
import { takeFault, takeMagicFault, type Fault, type FaultTarget } from './faults.ts';
import type { FaultMode } from './fault-modes.ts';
import type { GatewayStatus } from './gateway-status.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** How an executed call goes on: done now, or with a second step that falls due later (unix milliseconds). */
export type Course = { readonly kind: 'now' } | DelayedCourse;

/** A course with a second step; `status` is the gateway's word to begin or to fail with, where the fault names one. */
export interface DelayedCourse {
  readonly kind: 'async' | 'async_failure' | 'late_failure';
  readonly dueAtMs: number;
  readonly status?: GatewayStatus | undefined;
}

/** What the call came to: the body of a 200, or a refusal. */
type CallResult = { readonly body: unknown } | { readonly refusal: ConektaError };

/** The result and the way it travels: well, cut in half, not at all, or as a reset connection. */
export interface Outcome {
  readonly delivery: 'plain' | 'truncated' | 'silence' | 'reset';
  readonly result: CallResult;
}

/** A call that faults may hit. */
export interface FaultableCall extends FaultTarget {
  /** For magic amounts (PRODUCT X6): what the amount belongs to. */
  readonly magic?: { readonly scope: string; readonly amountMinor: number };
  /** What `decline` answers. */
  readonly declined: () => ConektaError;
  /** What `error_after` answers; Conekta's words where there are none. */
  readonly broken?: () => ConektaError;
  /** Does the work and returns the body. Throws ConektaError before it writes anything. */
  readonly execute: (course: Course) => unknown;
  /** Schedules the work instead (`late_commit`); a read has none. */
  readonly executeLater?: (dueAtMs: number) => void;
}

/**
 * Runs a call as the armed faults and magic amounts want it (PRODUCT X4, X6). Call it in a transaction: the fault is used up
 * exactly when the work is committed.
 */
export function runCall(db: SandboxDatabase, call: FaultableCall, nowMs: number): Outcome {
  const fault = takeFault(db, call) ?? (call.magic && takeMagicFault(db, call.magic.scope, call.magic.amountMinor));
  if (fault === undefined) return { delivery: 'plain', result: attempt(call, { kind: 'now' }) };
  return runFaulty(call, fault, nowMs);
}

function runFaulty(call: FaultableCall, { mode, delayMs, status }: Fault<FaultMode>, nowMs: number): Outcome {
  const now: Course = { kind: 'now' };
  const refused = (refusal: ConektaError): Outcome => ({ delivery: 'plain', result: { refusal } });
  switch (mode) {
    case 'decline': return refused(call.declined());
    case 'unavailable': return refused(unavailable());
    case 'rate_limited': return refused(rateLimited(Math.max(1, Math.ceil(delayMs / 1000))));
    case 'hang': return { delivery: 'silence', result: { body: null } };
    case 'late_commit':
      call.executeLater?.(nowMs + delayMs);
      return { delivery: 'silence', result: { body: null } };
    case 'timeout': return { delivery: 'silence', result: attempt(call, now) };
    case 'reset': return { delivery: 'reset', result: attempt(call, now) };
    case 'truncated': return { delivery: 'truncated', result: attempt(call, now) };
    case 'error_after':
      attempt(call, now);
      return refused((call.broken ?? systemFailure)());
    case 'async':
    case 'async_failure':
    case 'late_failure':
      return { delivery: 'plain', result: attempt(call, { kind: mode, dueAtMs: nowMs + delayMs, status }) };
  }
}

/** A refusal is a result here: whatever the fault does to the answer, it does to a refusal as well. */
function attempt(call: FaultableCall, course: Course): CallResult {
  try {
    return { body: call.execute(course) };
  } catch (error) {
    if (error instanceof ConektaError) return { refusal: error };
    throw error;
  }
}
