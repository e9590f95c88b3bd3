import { createHash } from 'node:crypto';

/** `payout_…`: the id of a payout order's one payout, derived from it, so that it is the same in every answer (P7). */
export function payoutIdOf(payoutOrderId: string): string {
  return `payout_${BigInt(`0x${createHash('sha256').update(payoutOrderId).digest('hex').slice(0, 24)}`).toString(36).padStart(19, '0')}`;
}
