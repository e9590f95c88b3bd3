import type { FaultMode } from './fault-modes.ts';

/**
 * Amounts that trigger a fault from a plain API call (PRODUCT X6): the last three digits of the amount in minor units of a refund
 * or of a new payout order. `decline` is for ever; the others happen once per charge and amount (or once per payout order), so
 * that a second attempt succeeds.
 */
export const MAGIC_VALUES = [
  { ending: 901, mode: 'decline', example: '109.01: refused' },
  { ending: 902, mode: 'unavailable', example: '109.02: 503, not executed' },
  { ending: 903, mode: 'timeout', example: '109.03: executed, never answered' },
  { ending: 904, mode: 'hang', example: '109.04: not executed, never answered' },
  { ending: 905, mode: 'late_commit', example: '109.05: never answered, executed a second later' },
  { ending: 906, mode: 'error_after', example: '109.06: executed, 500' },
  { ending: 907, mode: 'reset', example: '109.07: executed, connection reset' },
  { ending: 908, mode: 'truncated', example: '109.08: executed, half a body' },
  { ending: 909, mode: 'rate_limited', example: '109.09: 429 with Retry-After, not executed' },
  { ending: 910, mode: 'async', example: '109.10: authorized now, final a second later' },
  { ending: 911, mode: 'late_failure', example: '109.11: executed, failed a second later' },
  { ending: 912, mode: 'async_failure', example: '109.12: authorized now, failed a second later; refunds only' },
] as const satisfies readonly { readonly ending: number; readonly mode: FaultMode; readonly example: string }[];

/** The fault an amount asks for, if any. Amount in minor units. */
export function magicModeOf(amountMinor: number): FaultMode | undefined {
  return MAGIC_VALUES.find((value) => value.ending === amountMinor % 1000)?.mode;
}
