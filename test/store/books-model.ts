import type { LegStatus } from '../../src/domain/leg.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';

/** What the payer of the model's one charge paid, minor units. */
export const CAPTURED_MINOR = 1_000;

/** What may be told of a leg. */
export type News = 'authorized' | 'approved' | 'succeeded' | 'refused';

/** A refund with its one leg, as the model has it. Amount in minor units. */
export interface ModelLeg {
  readonly refundId: string;
  readonly amountMinor: number;
  status: LegStatus;
  ticket: number | null;
  sends: number;
  /** A send was permitted once: the refund can no longer be called off (R4). */
  wasSent: boolean;
  /** An answer was lost once: a later send that was not taken proves nothing about it. */
  wasUnknown: boolean;
  wasPaid: boolean;
  /** Its open cases: those that a known outcome ends, and those that only a human does. */
  readonly cases: Set<'outcome_unknown' | 'contradiction' | 'late_failure'>;
}

/** Legs that hold their amount, and legs whose outcome nobody knows yet: by hand from M2 and S5. */
const HOLDING: readonly LegStatus[] = ['reserved', 'sending', 'unknown', 'authorized', 'approved', 'succeeded'];
const OPEN: readonly LegStatus[] = ['reserved', 'sending', 'unknown'];

/** Which news moves a leg from where, by hand from R6, M4 and I4. All other news is old, or contradicts the books. */
const MOVES: Readonly<Record<LegStatus, readonly News[]>> = {
  reserved: ['refused'], sending: ['authorized', 'approved', 'succeeded', 'refused'], unknown: ['authorized', 'approved', 'succeeded', 'refused'],
  authorized: ['approved', 'succeeded', 'refused'], approved: ['succeeded', 'refused'], succeeded: [], refused: [], released: [], failed_late: [],
};

/** One charge with its gate and the refunds on it: small, slow to read wrong, and written without a look at the SQL. */
export class BooksModel {
  readonly legs = new Map<string, ModelLeg>();
  gate: string | null = null;
  #lastTicket = 0;

  get heldMinor(): number {
    return this.#sum((leg) => HOLDING.includes(leg.status));
  }

  /** Σ refunds − Σ refunds taken back. */
  get movedMinor(): number {
    return this.#sum((leg) => leg.status === 'succeeded');
  }

  reserve(refundId: string, amountMinor: number): 'reserved' | 'refused' {
    if (amountMinor > CAPTURED_MINOR - this.heldMinor) return 'refused';
    this.legs.set(refundId, { refundId, amountMinor, status: 'reserved', ticket: null, sends: 0, wasSent: false, wasUnknown: false, wasPaid: false, cases: new Set() });
    this.takeTurn(this.leg(refundId));
    return 'reserved';
  }

  leg(refundId: string): ModelLeg {
    const leg = this.legs.get(refundId);
    if (leg === undefined) throw new Error(`the model has no ${refundId}`);
    return leg;
  }

  takeTurn(leg: ModelLeg): boolean {
    // What was sent had its turn.
    if (this.gate === leg.refundId || leg.status !== 'reserved') return true;
    leg.ticket ??= ++this.#lastTicket;
    if (this.gate !== null || this.#first() !== leg.refundId) return false;
    this.gate = leg.refundId;
    return true;
  }

  loseTurn(leg: ModelLeg): string | null {
    if (leg.status !== 'reserved') return null;
    leg.ticket = null;
    return this.#passGate(leg);
  }

  beginSend(leg: ModelLeg): 'go' | 'settled' | 'fenced' {
    if (!OPEN.includes(leg.status)) return 'settled';
    if (this.gate !== leg.refundId) {
      this.takeTurn(leg);
      return 'fenced';
    }
    Object.assign(leg, { status: 'sending', sends: leg.sends + 1, wasSent: true });
    return 'go';
  }

  loseAnswer(leg: ModelLeg): void {
    if (leg.status === 'sending') Object.assign(leg, { status: 'unknown', wasUnknown: true });
  }

  notSent(leg: ModelLeg): void {
    if (leg.status === 'sending') leg.status = leg.wasUnknown ? 'unknown' : 'reserved';
  }

  /** Settles; `impossible` when money is told of a leg that nobody sent. */
  settle(leg: ModelLeg, news: News): { readonly next: string | null } | 'impossible' {
    const isNews = MOVES[leg.status].includes(news);
    if (isNews) {
      leg.status = news;
      leg.wasPaid ||= news === 'succeeded';
    } else if (OPEN.includes(leg.status)) {
      return 'impossible';
    } else if (news !== 'refused' && !HOLDING.includes(leg.status)) {
      leg.cases.add('contradiction');
    }
    if (isNews || (leg.status !== 'authorized' && leg.status !== 'approved')) leg.cases.delete('outcome_unknown');
    return { next: this.#passGate(leg) };
  }

  resolve(leg: ModelLeg, outcome: 'succeeded' | 'failed'): { readonly next: string | null } | 'never_sent' {
    if (leg.status === 'reserved' && outcome === 'succeeded') return 'never_sent';
    leg.cases.delete('outcome_unknown');
    const news = outcome === 'succeeded' ? 'succeeded' : 'refused';
    if (!MOVES[leg.status].includes(news)) return { next: null };
    return this.settle(leg, news) as { readonly next: string | null };
  }

  failLate(leg: ModelLeg): boolean {
    if (leg.status !== 'succeeded') return false;
    leg.status = 'failed_late';
    leg.cases.delete('outcome_unknown');
    leg.cases.add('late_failure');
    return true;
  }

  cancel(leg: ModelLeg): { readonly next: string | null } | 'impossible' {
    if (leg.status === 'released') return { next: null };
    if (leg.wasSent || leg.status !== 'reserved') return 'impossible';
    leg.status = 'released';
    leg.cases.delete('outcome_unknown');
    return { next: this.#passGate(leg) };
  }

  /** A refund's status, from its one leg (R2). */
  statusOf(leg: ModelLeg): RefundStatus {
    switch (leg.status) {
      case 'reserved': case 'sending': case 'unknown': return leg.wasSent ? 'in_process' : 'pending';
      case 'authorized': case 'approved': return leg.status;
      case 'succeeded': return 'refunded';
      case 'released': return 'cancelled';
      case 'refused': case 'failed_late': return 'rejected';
      default: return leg.status satisfies never;
    }
  }

  #passGate(leg: ModelLeg): string | null {
    if (this.gate !== leg.refundId) return null;
    this.gate = this.#first();
    return this.gate;
  }

  #first(): string | null {
    const waiting = [...this.legs.values()].filter((leg) => leg.status === 'reserved' && leg.ticket !== null);
    return waiting.toSorted((left, right) => (left.ticket ?? 0) - (right.ticket ?? 0))[0]?.refundId ?? null;
  }

  #sum(counts: (leg: ModelLeg) => boolean): number {
    return [...this.legs.values()].filter(counts).reduce((sum, leg) => sum + leg.amountMinor, 0);
  }
}
