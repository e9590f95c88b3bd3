import { LATEST_COMMIT_MS, PROVIDER_TIMEOUT_MS, READ_MODES, REFUND_MODES } from '../e2e/fault-plan.ts';
import { deck, share } from './chance.ts';
import type { Chance } from './chance.ts';

/** A fault to arm for one charge or payout order. Delay in milliseconds. */
export interface PlannedFault {
  readonly operation: 'refund' | 'refund.find' | 'order.get' | 'payout.create' | 'payout.cancel' | 'payout.find' | 'webhook';
  readonly mode: string;
  readonly times: number;
  readonly delayMs: number;
}

/** Every fault mode of creating and of cancelling a payout order (docs/sandbox.md). */
export const PAYOUT_MODES = ['decline', 'unavailable', 'timeout', 'hang', 'late_commit', 'error_after', 'reset', 'truncated', 'rate_limited', 'async', 'late_failure'] as const;

/** Every fault mode of a webhook. */
export const WEBHOOK_MODES = ['double', 'reorder', 'drop'] as const;

/** Modes that execute nothing and leave no answer: one too many of them in a row is a case, behind which others of the charge wait. */
const SILENT: readonly string[] = ['unavailable', 'hang'];

/** How far from the middle of the settle delay a late commit may be, milliseconds after the request came in; the end is the sandbox's to keep. */
const LATE_FROM_MS = PROVIDER_TIMEOUT_MS + 2000;
/** How long the provider takes for what it answers at once and does later, milliseconds. */
const LATER_MS = { least: 1500, most: 6000 };
const HELD_BACK_MS = 3000;

function delayOf(drawn: Chance, mode: string): number {
  if (mode === 'rate_limited') return 0;
  if (mode === 'reorder') return HELD_BACK_MS;
  if (mode.startsWith('async') || mode === 'late_failure') return drawn.int(LATER_MS.least, LATER_MS.most);
  return mode === 'late_commit' ? drawn.int(LATE_FROM_MS, LATEST_COMMIT_MS) : 0;
}

/** What deals the faults of a run. */
export interface FaultDealer {
  /** So many faults, or a few less, for an order with so many refunds of one charge. */
  ofOrder(count: number, refunds: number): readonly PlannedFault[];
  /** So many faults, or a few less, for a payout order of which these calls are made. */
  ofPayout(count: number, calls: { readonly isCancelled: boolean; readonly isFollowed: boolean; readonly mayBeCalledOff: boolean }): readonly PlannedFault[];
}

/** Makes it. Modes are dealt like cards, so that a run meets each of them about equally often. */
export function faultDealer(drawn: Chance): FaultDealer {
  const refund = deck(drawn, REFUND_MODES.map(({ mode }) => mode));
  const read = deck(drawn, READ_MODES.flatMap((mode) => [{ operation: 'order.get', mode }, { operation: 'refund.find', mode }] as const));
  const create = deck(drawn, PAYOUT_MODES);
  const cancel = deck(drawn, PAYOUT_MODES);
  const find = deck(drawn, READ_MODES);
  const webhook = deck(drawn, WEBHOOK_MODES);
  const fault = (operation: PlannedFault['operation'], mode: string, times = 1): PlannedFault => ({ operation, mode, times, delayMs: delayOf(drawn, mode) });
  return {
    ofOrder(count, refunds) {
      const faults: PlannedFault[] = [];
      const hits = (): number => faults.reduce((sum, { times }) => sum + times, 0);
      for (let turn = 0; hits() < count; turn += 1) {
        const kind = turn % 3;
        if (kind === 0) {
          const mode = refund();
          const isSecondSilent = SILENT.includes(mode) && faults.some((other) => SILENT.includes(other.mode));
          // What was lost three times in a row waits for a human; once in a while that is wanted.
          const times = SILENT.includes(mode) && refunds === 1 && drawn.happens(0.15) ? 3 : 1;
          faults.push(isSecondSilent ? fault('refund', 'timeout') : fault('refund', mode, times));
        } else if (kind === 1) {
          const { operation, mode } = read();
          faults.push(fault(operation, mode));
        } else {
          faults.push(fault('webhook', webhook()));
        }
      }
      return withoutDeafness(faults);
    },
    ofPayout(count, { isCancelled, isFollowed, mayBeCalledOff }) {
      const deals = [
        () => fault('payout.create', avoid(create, mayBeCalledOff ? [] : ['late_failure'])),
        ...(isCancelled ? [() => fault('payout.cancel', avoid(cancel, mayBeCalledOff ? [] : ['late_failure']))] : []),
        ...(isFollowed ? [() => fault('payout.find', find())] : []),
        () => fault('webhook', webhook()),
      ];
      const begin = drawn.int(0, deals.length - 1);
      const faults = Array.from({ length: Math.min(count, deals.length) }, (_, index) => (deals[(begin + index) % deals.length] ?? deals[0])?.()).filter((one) => one !== undefined);
      return withoutDeafness(faults);
    },
  };
}

/** A late failure that no webhook tells is not noticed (docs/guarantees.md): the two do not meet. */
function withoutDeafness(faults: readonly PlannedFault[]): readonly PlannedFault[] {
  if (!faults.some(({ mode }) => mode === 'late_failure')) return faults;
  return faults.map((fault) => (fault.mode === 'drop' ? { ...fault, mode: 'double' } : fault));
}

function avoid<T>(deal: () => T, unwanted: readonly T[]): T {
  for (;;) {
    const card = deal();
    if (!unwanted.includes(card)) return card;
  }
}

/** Spreads a number of faults evenly over so many places. */
export function spread(total: number, places: number): readonly number[] {
  return Array.from({ length: places }, (_, index) => share(total, places, index));
}
