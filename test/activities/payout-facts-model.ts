import type { AskCause } from '../../activities/payout-contracts.ts';
import type { CaseKind } from '../../src/domain/case.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';

/** What the books make of what the provider shows: the status they then have, or `!` for what a person must see. */
type Next = PayoutOrderStatus | '!';

/** The edges of PRODUCT §6, by hand from its picture. */
export const EDGES: Readonly<Record<PayoutOrderStatus, readonly PayoutOrderStatus[]>> = {
  open: ['pending'],
  pending: ['pending_confirmation', 'cancelled', 'expired'],
  pending_confirmation: ['withdrawn', 'reversed', 'cancelled'],
  withdrawn: [], cancelled: [], expired: [], reversed: [],
};

/** The columns of {@link FOLLOWED}. */
const SHOWN: readonly PayoutOrderStatus[] = ['open', 'pending', 'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'];

/** Ours in rows, what the provider shows in columns, by hand from P1 to P6: forwards along the edges, never back, never out of a final status. */
const FOLLOWED: Readonly<Record<PayoutOrderStatus, readonly Next[]>> = {
  //                     open,                   pending,                pending_confirmation,   withdrawn,   cancelled,   expired,   reversed
  open:                 ['open',                 'pending',              'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'],
  pending:              ['pending',              'pending',              'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'],
  pending_confirmation: ['pending_confirmation', 'pending_confirmation', 'pending_confirmation', 'withdrawn', 'cancelled', '!',       'reversed'],
  withdrawn:            ['withdrawn',            'withdrawn',            'withdrawn',            'withdrawn', '!',         '!',       '!'],
  cancelled:            ['cancelled',            '!',                    '!',                    '!',         'cancelled', '!',       '!'],
  // A reference that was voided because it ran out: a provider may call that cancelled (P2).
  expired:              ['expired',              '!',                    '!',                    '!',         'expired',   'expired', '!'],
  reversed:             ['reversed',             'reversed',             'reversed',             '!',         '!',         '!',       'reversed'],
};

/** What the books must say after the provider showed a status because of this. */
export function followed(ours: PayoutOrderStatus, shown: PayoutOrderStatus, cause: AskCause): Next {
  if (cause === 'window_ended' && ours === 'pending_confirmation' && shown === 'pending_confirmation') return 'withdrawn';
  if (cause === 'expiry' && ours === 'pending' && shown === 'cancelled') return 'expired';
  return FOLLOWED[ours][SHOWN.indexOf(shown)] ?? '!';
}

/** Which case a status must open that is told after the end, when nobody asks the provider any more; none for what the books have been through (P6). */
export function lateCase(ours: PayoutOrderStatus, told: PayoutOrderStatus, passed: readonly string[]): CaseKind | null {
  if (passed.includes(told) || followed(ours, told, 'fact') === ours) return null;
  return ours === 'withdrawn' && told === 'reversed' ? 'late_reversal' : 'contradiction';
}

/** Whether the books and the provider tell the same: also where one calls expired what the other calls cancelled. */
export function agree(ours: PayoutOrderStatus, theirs: PayoutOrderStatus): boolean {
  return ours === theirs || (ours === 'expired' && theirs === 'cancelled');
}

/** What must have been so at the provider at some time for our books to say this: nothing is guessed (P2, S4). */
export const GROUNDS: Readonly<Record<PayoutOrderStatus, readonly PayoutOrderStatus[] | null>> = {
  open: null,
  pending: SHOWN.filter((status) => status !== 'open'),
  pending_confirmation: ['pending_confirmation', 'withdrawn', 'reversed'],
  withdrawn: ['pending_confirmation', 'withdrawn'],
  cancelled: ['cancelled'],
  expired: ['expired', 'cancelled'],
  reversed: ['reversed'],
};

/** Where a payout order rests for good. */
export const FINAL: readonly PayoutOrderStatus[] = ['withdrawn', 'cancelled', 'expired', 'reversed'];

/** The kinds of contradictions: what our books say, and what the provider then shows or tells. */
export function contradictionOf(ours: PayoutOrderStatus, shown: PayoutOrderStatus): string {
  if (ours === 'withdrawn') return shown === 'reversed' ? 'reversed after the window' : 'voided after the withdrawal';
  if (ours === 'cancelled') return 'honoured after the cancellation';
  if (ours === 'expired') return 'honoured after the expiry';
  if (ours === 'reversed') return 'otherwise after the reversal';
  return ours === 'open' ? 'issued after it was refused' : 'expired while it was withdrawn';
}

/** All of them. */
export const CONTRADICTIONS = [
  'reversed after the window', 'voided after the withdrawal', 'honoured after the cancellation', 'honoured after the expiry', 'otherwise after the reversal', 'expired while it was withdrawn', 'issued after it was refused',
] as const;
