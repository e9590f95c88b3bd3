import type { IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { ProviderAdapter, ProviderOrder, ProviderPayoutOrder, ProviderRefundRequest } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';

/** A charge at the fake provider. Minor units. */
export interface FakeCharge {
  readonly chargeId: string;
  readonly amountMinor: number;
}

/** A refund that the fake provider really made. */
export interface JournalEntry {
  readonly providerRefundId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
}

/** What a scripted answer to a refund may do before it answers or throws. */
export interface RefundAtWork {
  /** Moves the money, or throws `declined` when the charge cannot bear it; the order as it then is. */
  execute(): ProviderOrder;
  /** Moves the money when `commitLate` is called, unless the charge can no longer bear it. */
  executeLater(): void;
  /** Moves what was put off by earlier requests. */
  commitLate(): void;
  order(): ProviderOrder;
}

/** The answer to one request for a refund. */
export type RefundScript = (work: RefundAtWork) => ProviderOrder;

/** Executes and answers. The default. */
export const ACCEPT: RefundScript = (work) => work.execute();
/** Refuses; nothing moves. */
export const DECLINE: RefundScript = () => { throw new ProviderError('declined', 'refused', { providerCode: 'card_closed' }); };
/** Takes nothing and asks for a pause. */
export const NOT_SENT: RefundScript = () => { throw new ProviderError('not_sent', 'too many requests', { retryAfterMs: 7000 }); };
/** Times out; nothing moves, now or later. */
export const LOST_BEFORE: RefundScript = () => { throw new ProviderError('unknown', 'timeout'); };
/** Executes and times out. */
export const LOST_AFTER: RefundScript = (work) => {
  work.execute();
  throw new ProviderError('unknown', 'timeout');
};
/** Times out, and executes inside the settle delay. */
export const LATE_COMMIT: RefundScript = (work) => {
  work.executeLater();
  throw new ProviderError('unknown', 'timeout');
};
/** Says 2xx and shows no new refund. */
export const EMPTY_SUCCESS: RefundScript = (work) => work.order();
/** Commits what was put off, and refuses this one. */
export const DECLINE_AFTER_LATE_COMMIT: RefundScript = (work) => {
  work.commitLate();
  throw new ProviderError('declined', 'nothing left', { providerCode: 'nothing_left' });
};
/** The process dies before the provider gets the request. */
export const DIE_BEFORE: RefundScript = () => { throw new Error('killed'); };
/** The provider executes and the process dies. */
export const DIE_AFTER: RefundScript = (work) => {
  work.execute();
  throw new Error('killed');
};

/** The calls an adapter knows. */
export type Operation = 'getOrder' | 'submitRefund' | 'createPayoutOrder' | 'getPayoutOrder' | 'findPayoutOrder' | 'cancelPayoutOrder';

/** A payout order at the fake provider. */
export interface FakePayoutOrder {
  readonly providerPayoutOrderId: string;
  readonly reference: string;
  status: PayoutOrderStatus;
}

/** A provider in memory with one order, `ord_1`, and payout orders. It has no idempotency key, like the real one. */
export interface FakeProvider {
  readonly adapter: ProviderAdapter;
  /** Everything that really moved, in order. */
  readonly journal: readonly JournalEntry[];
  readonly payoutOrders: readonly FakePayoutOrder[];
  /** Answers of the coming requests for refunds, in order; `ACCEPT` when there are none. */
  readonly refundScripts: RefundScript[];
  /** What the coming call of an operation does before it works: may throw or wait. One per call. */
  readonly before: Record<Operation, (() => unknown)[]>;
  /** What the coming call of an operation does after it worked, instead of answering. One per call. */
  readonly after: Record<Operation, (() => unknown)[]>;
  /** How often each operation was called. */
  readonly calls: Record<Operation, number>;
  /** Moves what was put off. */
  commitLate(): void;
  /** The cardholder disputes an amount of a charge. */
  dispute(chargeId: string, disputedMinor: number): void;
  /** A refund made by hand at the provider. */
  refundByHand(chargeId: string, amountMinor: number): void;
  /** Σ moved of a charge, minor units. */
  movedMinor(chargeId: string): number;
  orderAsIs(): ProviderOrder;
}

function perOperation<T>(make: () => T): Record<Operation, T> {
  return { getOrder: make(), submitRefund: make(), createPayoutOrder: make(), getPayoutOrder: make(), findPayoutOrder: make(), cancelPayoutOrder: make() };
}

/** The refunds of the fake: charges, what really moved, and what was put off. */
class Ledger {
  readonly journal: JournalEntry[] = [];
  readonly #charges: readonly FakeCharge[];
  readonly #disputes = new Map<string, number>();
  #late: ProviderRefundRequest[] = [];

  constructor(charges: readonly FakeCharge[]) {
    this.#charges = charges;
  }

  movedMinor(chargeId: string): number {
    return this.journal.filter((entry) => entry.chargeId === chargeId).reduce((sum, entry) => sum + entry.amountMinor, 0);
  }

  move(chargeId: string, amountMinor: number): void {
    const charge = this.#charges.find((candidate) => candidate.chargeId === chargeId);
    if (charge === undefined || this.movedMinor(chargeId) + amountMinor > charge.amountMinor) throw new ProviderError('declined', 'nothing left', { providerCode: 'nothing_left' });
    this.journal.push({ providerRefundId: `re_${this.journal.length + 1}`, chargeId, amountMinor });
  }

  dispute(chargeId: string, disputedMinor: number): void {
    this.#disputes.set(chargeId, disputedMinor);
  }

  putOff(request: ProviderRefundRequest): void {
    this.#late.push(request);
  }

  commitLate(): void {
    const due = this.#late;
    this.#late = [];
    for (const { chargeId, amountMinor } of due) {
      const charge = this.#charges.find((candidate) => candidate.chargeId === chargeId);
      if (charge !== undefined && this.movedMinor(chargeId) + amountMinor <= charge.amountMinor) this.move(chargeId, amountMinor);
    }
  }

  order(): ProviderOrder {
    const charges = this.#charges.map(({ chargeId, amountMinor }) => ({
      chargeId, amountMinor, currency: 'MXN', providerStatus: 'paid', paid: true, disputedMinor: this.#disputes.get(chargeId) ?? 0, raw: {},
      refunds: this.journal.filter((entry) => entry.chargeId === chargeId).map((entry) => ({ providerRefundId: entry.providerRefundId, amountMinor: entry.amountMinor })),
    }));
    return { orderId: 'ord_1', currency: 'MXN', charges, raw: {} };
  }
}

function told(order: FakePayoutOrder): ProviderPayoutOrder {
  return { providerPayoutOrderId: order.providerPayoutOrderId, reference: order.reference, payoutId: null, status: order.status };
}

function byId(payoutOrders: readonly FakePayoutOrder[], id: string): FakePayoutOrder {
  const order = payoutOrders.find((candidate) => candidate.providerPayoutOrderId === id);
  if (order === undefined) throw new ProviderError('not_found', 'no such payout order');
  return order;
}

/** Makes a fake provider. */
export function createFakeProvider(charges: readonly FakeCharge[], idempotency: IdempotencyCapability = 'balance', issuedStatus: PayoutOrderStatus = 'pending'): FakeProvider {
  const ledger = new Ledger(charges);
  const payoutOrders: FakePayoutOrder[] = [];
  const refundScripts: RefundScript[] = [];
  const [before, after, calls] = [perOperation<(() => unknown)[]>(() => []), perOperation<(() => unknown)[]>(() => []), perOperation(() => 0)];
  const called = async <T>(operation: Operation, work: () => T): Promise<T> => {
    calls[operation] += 1;
    await before[operation].shift()?.();
    const answer = work();
    await after[operation].shift()?.();
    return answer;
  };
  const refund = (request: ProviderRefundRequest): ProviderOrder => (refundScripts.shift() ?? ACCEPT)({
    execute: () => {
      ledger.move(request.chargeId, request.amountMinor);
      return ledger.order();
    },
    executeLater: () => ledger.putOff(request), commitLate: () => ledger.commitLate(), order: () => ledger.order(),
  });
  const adapter: ProviderAdapter = {
    name: 'acme', idempotency,
    getOrder: () => called('getOrder', () => ledger.order()),
    submitRefund: (_call, request) => called('submitRefund', () => refund(request)),
    createPayoutOrder: (_call, { reference }) => called('createPayoutOrder', () => {
      const created: FakePayoutOrder = { providerPayoutOrderId: `prov_${reference}_${payoutOrders.length + 1}`, reference, status: issuedStatus };
      payoutOrders.push(created);
      return told(created);
    }),
    getPayoutOrder: (_call, id) => called('getPayoutOrder', () => told(byId(payoutOrders, id))),
    findPayoutOrder: (_call, reference) => called('findPayoutOrder', () => {
      const order = payoutOrders.find((candidate) => candidate.reference === reference);
      return order === undefined ? null : told(order);
    }),
    cancelPayoutOrder: (_call, id) => called('cancelPayoutOrder', () => {
      const order = byId(payoutOrders, id);
      if (order.status !== 'pending' && order.status !== 'pending_confirmation' && order.status !== 'cancelled') throw new ProviderError('declined', 'cash is out');
      order.status = 'cancelled';
      return told(order);
    }),
  };
  return {
    adapter, journal: ledger.journal, payoutOrders, refundScripts, before, after, calls, commitLate: () => ledger.commitLate(),
    dispute: (chargeId, disputedMinor) => ledger.dispute(chargeId, disputedMinor), refundByHand: (chargeId, amountMinor) => ledger.move(chargeId, amountMinor), movedMinor: (chargeId) => ledger.movedMinor(chargeId), orderAsIs: () => ledger.order(),
  };
}
