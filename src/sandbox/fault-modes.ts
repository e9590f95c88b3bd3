import { z } from 'zod';
import { GATEWAY_STATUSES, STATE_OF, type GatewayStatus } from './gateway-status.ts';
import type { RefundState } from './order-records.ts';

/** Calls that can go wrong (PRODUCT X4). `refund.find` and `order.get` are both `GET /orders/{id}`, and the reads of refund and payment at the gateway; `webhook` is what the sandbox sends. */
const FAULT_OPERATIONS = ['refund', 'refund.find', 'payout.create', 'payout.cancel', 'payout.find', 'order.get', 'webhook'] as const;

/** One of the calls that can go wrong. */
export type FaultOperation = (typeof FAULT_OPERATIONS)[number];

/**
 * How a call goes wrong (PRODUCT X4): `decline`, `unavailable`, `hang` and `rate_limited` do not execute; `timeout`, `error_after`,
 * `reset` and `truncated` execute and spoil the answer; `late_commit` executes after the delay, unanswered; `async` authorizes now and
 * is final after the delay; `async_failure` authorizes now and fails after the delay; `late_failure` executes and fails after the delay.
 */
const FAULT_MODES = [
  'decline', 'unavailable', 'timeout', 'hang', 'late_commit', 'error_after', 'reset', 'truncated', 'rate_limited', 'async', 'late_failure',
  'async_failure',
] as const;

/** One of the ways a call goes wrong. */
export type FaultMode = (typeof FAULT_MODES)[number];

/** How a webhook delivery goes wrong (PRODUCT X5). */
const WEBHOOK_FAULT_MODES = ['drop', 'double', 'reorder'] as const;

/** One of the ways a delivery goes wrong. */
export type WebhookFaultMode = (typeof WEBHOOK_FAULT_MODES)[number];

const READS: readonly FaultOperation[] = ['refund.find', 'payout.find', 'order.get'];
const MODES_WITHOUT_MEANING_FOR_READS: readonly string[] = ['async', 'late_failure'];
/** A payout order knows no state between authorized and failed. */
const MODES_OF_REFUNDS_ONLY: readonly string[] = ['async_failure'];
const CHARGE_OPERATIONS: readonly FaultOperation[] = ['refund', 'refund.find', 'order.get'];

function canFailAs(operation: FaultOperation, mode: FaultMode | WebhookFaultMode): boolean {
  const isWebhookMode = WEBHOOK_FAULT_MODES.some((webhookMode) => webhookMode === mode);
  if (isWebhookMode || operation === 'webhook') return isWebhookMode && operation === 'webhook';
  if (MODES_OF_REFUNDS_ONLY.includes(mode)) return operation === 'refund';
  return !(READS.includes(operation) && MODES_WITHOUT_MEANING_FOR_READS.includes(mode));
}

/** The filter that could never fit: webhooks are about an order or a payout order, so of the two filters one at most. */
function uselessFilter({ operation, charge_id: chargeId, payout_id: payoutId }: FilteredFault): 'charge_id' | 'payout_id' | undefined {
  if (operation === 'webhook') return chargeId !== undefined && payoutId !== undefined ? 'payout_id' : undefined;
  if (CHARGE_OPERATIONS.includes(operation)) return payoutId === undefined ? undefined : 'payout_id';
  return chargeId === undefined ? undefined : 'charge_id';
}

/** Of which states the word may be that a mode is told: those it brings a refund of the gateway into, where there is a choice. */
const STATES_TO_NAME: Readonly<Record<string, readonly RefundState[]>> = { async: ['authorized'], async_failure: ['authorized', 'failed'], late_failure: ['failed'] };

function canSay({ operation, mode, status }: SpokenFault): boolean {
  return status === undefined || (operation === 'refund' && STATES_TO_NAME[mode]?.includes(STATE_OF[status]) === true);
}

interface SpokenFault {
  readonly operation: FaultOperation;
  readonly mode: string;
  readonly status?: GatewayStatus | undefined;
}

interface FilteredFault {
  readonly operation: FaultOperation;
  readonly charge_id?: string | undefined;
  readonly payout_id?: string | undefined;
}

/** Delay where a fault names none, milliseconds. */
export const DEFAULT_FAULT_DELAY_MS = 1000;

/** Body of `POST /sandbox/faults` (PRODUCT X4), with optional filters. A mode that the operation cannot have is refused. */
export const faultRequestSchema = z.strictObject({
  operation: z.enum(FAULT_OPERATIONS),
  mode: z.enum([...FAULT_MODES, ...WEBHOOK_FAULT_MODES]),
  times: z.int().min(1).max(1_000_000).default(1),
  delay_ms: z.int().min(0).max(3_600_000).optional(),
  charge_id: z.string().min(1).optional(),
  payout_id: z.string().min(1).optional(),
  status: z.enum(GATEWAY_STATUSES).optional(),
}).superRefine((fault, context) => {
  if (!canFailAs(fault.operation, fault.mode)) {
    context.addIssue({ code: 'custom', path: ['mode'], message: 'the operation cannot fail like this' });
  }
  const useless = uselessFilter(fault);
  if (useless !== undefined) context.addIssue({ code: 'custom', path: [useless], message: 'the operation knows no such object' });
  if (!canSay(fault)) context.addIssue({ code: 'custom', path: ['status'], message: 'the mode has no such status' });
});

/** A parsed fault to arm. */
export type FaultRequest = z.output<typeof faultRequestSchema>;
