import type { IdempotencyCapability, ListedRefund, ProviderRefundState } from '../../src/domain/send-protocol.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { ProviderAdapter, ProviderOrder, ProviderRefundRequest, SubmittedRefund } from '../../src/providers/provider.ts';
import { ProviderError, type ProviderErrorDetails } from '../../src/providers/provider-error.ts';
import { createFakePayoutOrders, type FakePayoutOrder } from './fake-payout-orders.ts';

/** A charge at the fake provider. Minor units. */
export interface FakeCharge {
  readonly chargeId: string;
  readonly amountMinor: number;
}

/** Money of a refund that the fake provider really moved, or took back. */
export interface JournalEntry {
  readonly providerRefundId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
}

/** A refund at the fake provider. */
interface FakeRefund extends JournalEntry {
  readonly reference: string | null;
  state: ProviderRefundState;
}

/** What a scripted answer to a refund may do before it answers or throws. */
export interface RefundAtWork {
  /**
   * Makes the refund in a state (`succeeded` when omitted: then the money moves), or throws `declined` when the charge cannot bear it;
   * the order as it then is. With `key`, a repeated reference makes nothing.
   */
  execute(state?: ProviderRefundState): ProviderOrder;
  /** Moves the money when `commitLate` is called, unless the charge can no longer bear it. */
  executeLater(): void;
  /** Throws `declined`; with `key`, a request that was executed before is answered with the order as it is. */
  decline(details: ProviderErrorDetails): ProviderOrder;
  /** Moves what was put off by earlier requests. */
  commitLate(): void;
  order(): ProviderOrder;
}

/** The answer to one request for a refund. */
export type RefundScript = (work: RefundAtWork) => ProviderOrder;

/** What a refusal tells of a charge that has nothing, or too little, left. */
const NOTHING_LEFT: ProviderErrorDetails = { providerCode: 'nothing_left', saysNothingLeft: true };

/** Executes and answers. The default. */
export const ACCEPT: RefundScript = (work) => work.execute();
/** Accepts, and executes only when `setState` says so. */
export const ACCEPT_LATER: RefundScript = (work) => work.execute('authorized');
/** Executes; the credit is on its way until `setState` says what became of it. */
export const ACCEPT_ON_ITS_WAY: RefundScript = (work) => work.execute('approved');
/** Says 2xx and shows a refund that failed; nothing moves. */
export const ACCEPT_FAILED: RefundScript = (work) => work.execute('failed');
/** Accepts, to be executed when `setState` says so, and times out. */
export const LOST_AFTER_ACCEPT: RefundScript = (work) => {
  work.execute('authorized');
  throw new ProviderError('unknown', 'timeout');
};
/** Refuses; nothing moves. */
export const DECLINE: RefundScript = (work) => work.decline({ providerCode: 'card_closed' });
/** Refuses and says that nothing is left, whatever there is; nothing moves. */
export const DECLINE_NOTHING_LEFT: RefundScript = (work) => work.decline(NOTHING_LEFT);
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
  return work.decline(NOTHING_LEFT);
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

/** A provider in memory with one order, `ord_1`, and payout orders. Unless told otherwise it keeps nothing of ours on a refund, like the real one. */
export interface FakeProvider {
  readonly adapter: ProviderAdapter;
  /** Everything that really moved, in order. */
  readonly journal: readonly JournalEntry[];
  /** Everything that was taken back after it had moved, in order. */
  readonly failures: readonly JournalEntry[];
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
  /** Moves a refund on. The money moves on `succeeded`, and comes back on a failure after that. Throws when it may not go there. */
  setState(providerRefundId: string, state: Exclude<ProviderRefundState, 'authorized'>): void;
  /** The cardholder disputes an amount of a charge. */
  dispute(chargeId: string, disputedMinor: number): void;
  /** A refund made by hand at the provider. */
  refundByHand(chargeId: string, amountMinor: number): void;
  /** Σ moved of a charge and not taken back, minor units. */
  movedMinor(chargeId: string): number;
  orderAsIs(): ProviderOrder;
}

function perOperation<T>(make: () => T): Record<Operation, T> {
  return { getOrder: make(), submitRefund: make(), createPayoutOrder: make(), getPayoutOrder: make(), findPayoutOrder: make(), cancelPayoutOrder: make() };
}

const sumMinor = (entries: readonly JournalEntry[], chargeId: string): number =>
  entries.filter((entry) => entry.chargeId === chargeId).reduce((sum, entry) => sum + entry.amountMinor, 0);

/** The refunds of the fake: charges, what really moved, and what was put off. */
class Ledger {
  readonly journal: JournalEntry[] = [];
  readonly failures: JournalEntry[] = [];
  readonly #charges: readonly FakeCharge[];
  readonly #idempotency: IdempotencyCapability;
  readonly #refunds: FakeRefund[] = [];
  readonly #disputes = new Map<string, number>();
  readonly #late: ProviderRefundRequest[] = [];

  constructor(charges: readonly FakeCharge[], idempotency: IdempotencyCapability) {
    this.#charges = charges;
    this.#idempotency = idempotency;
  }

  movedMinor(chargeId: string): number {
    return sumMinor(this.journal, chargeId) - sumMinor(this.failures, chargeId);
  }

  /** Whether our key was honoured: the request made its refund before, whatever became of that, or makes now what was put off. */
  isRepeated({ reference }: ProviderRefundRequest): boolean {
    if (this.#idempotency === 'key' && this.#late.some((late) => late.reference === reference)) this.commitLate();
    return this.#idempotency === 'key' && this.#refunds.some((refund) => refund.reference === reference);
  }

  execute(request: ProviderRefundRequest, state: ProviderRefundState = 'succeeded'): void {
    if (this.isRepeated(request)) return;
    this.make(request.chargeId, request.amountMinor, state, this.#idempotency === 'balance' ? null : request.reference);
  }

  make(chargeId: string, amountMinor: number, state: ProviderRefundState, reference: string | null): void {
    if (!this.#bears(chargeId, amountMinor)) throw new ProviderError('declined', 'nothing left', NOTHING_LEFT);
    const entry: JournalEntry = { providerRefundId: `re_${this.#refunds.length + 1}`, chargeId, amountMinor };
    this.#refunds.push({ ...entry, reference, state });
    if (state === 'succeeded') this.journal.push(entry);
  }

  setState(id: string, state: ProviderRefundState): void {
    const refund = this.#refunds.find(({ providerRefundId }) => providerRefundId === id);
    if (refund === undefined) throw new Error(`no refund ${id}`);
    if (refund.state === state) return;
    const hadMoved = refund.state === 'succeeded';
    if (refund.state === 'failed' || (hadMoved && state !== 'failed')) throw new Error(`refund ${id} cannot go from ${refund.state} to ${state}`);
    refund.state = state;
    const { providerRefundId, chargeId, amountMinor } = refund;
    if (state === 'succeeded') this.journal.push({ providerRefundId, chargeId, amountMinor });
    if (state === 'failed' && hadMoved) this.failures.push({ providerRefundId, chargeId, amountMinor });
  }

  dispute(chargeId: string, disputedMinor: number): void {
    this.#disputes.set(chargeId, disputedMinor);
  }

  putOff(request: ProviderRefundRequest): void {
    this.#late.push(request);
  }

  commitLate(): void {
    for (const request of this.#late.splice(0)) if (this.#bears(request.chargeId, request.amountMinor)) this.execute(request);
  }

  /** With `none`, only the answer to a send shows what it made; no order read later does. */
  order(isAnswer = false): ProviderOrder {
    const isShown = isAnswer || this.#idempotency !== 'none';
    const shown = ({ providerRefundId, amountMinor, state, reference }: FakeRefund): ListedRefund => ({ providerRefundId, amountMinor, state, reference: isShown ? reference : null });
    const charges = this.#charges.map(({ chargeId, amountMinor }) => ({
      chargeId, amountMinor, currency: 'MXN', providerStatus: 'paid', paid: true, disputedMinor: this.#disputes.get(chargeId) ?? 0, raw: {},
      refunds: this.#refunds.filter((refund) => refund.chargeId === chargeId).map(shown),
    }));
    return { orderId: 'ord_1', currency: 'MXN', charges, raw: {} };
  }

  #bears(chargeId: string, amountMinor: number): boolean {
    const charge = this.#charges.find((candidate) => candidate.chargeId === chargeId);
    return charge !== undefined && sumMinor(this.#refunds.filter(({ state }) => state !== 'failed'), chargeId) + amountMinor <= charge.amountMinor;
  }
}

/** An answer in the manner of the capability: the refund alone where it carries our reference, else the whole order. */
function submitted(idempotency: IdempotencyCapability, { chargeId, reference }: ProviderRefundRequest, order: ProviderOrder): SubmittedRefund {
  const made = order.charges.find((charge) => charge.chargeId === chargeId)?.refunds.find((refund) => refund.reference === reference);
  return idempotency === 'reference' && made !== undefined ? { kind: 'refund', refund: made } : { kind: 'order', order };
}

/** Makes a fake provider. */
export function createFakeProvider(charges: readonly FakeCharge[], idempotency: IdempotencyCapability = 'balance', issuedStatus: PayoutOrderStatus = 'pending'): FakeProvider {
  const ledger = new Ledger(charges, idempotency);
  const payoutOrders = createFakePayoutOrders(issuedStatus);
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
    execute: (state) => {
      ledger.execute(request, state);
      return ledger.order(true);
    },
    decline: (details) => {
      if (!ledger.isRepeated(request)) throw new ProviderError('declined', 'refused', details);
      return ledger.order(true);
    },
    executeLater: () => ledger.putOff(request), commitLate: () => ledger.commitLate(), order: () => ledger.order(true),
  });
  const adapter: ProviderAdapter = {
    name: 'acme', idempotency,
    getOrder: () => called('getOrder', () => ledger.order()),
    submitRefund: (_call, request) => called('submitRefund', () => submitted(idempotency, request, refund(request))),
    createPayoutOrder: (_call, { reference }) => called('createPayoutOrder', () => payoutOrders.create(reference)),
    getPayoutOrder: (_call, id) => called('getPayoutOrder', () => payoutOrders.get(id)),
    findPayoutOrder: (_call, reference, createdAfter) => called('findPayoutOrder', () => payoutOrders.find(reference, createdAfter)),
    cancelPayoutOrder: (_call, id) => called('cancelPayoutOrder', () => payoutOrders.cancel(id)),
  };
  return {
    adapter, journal: ledger.journal, failures: ledger.failures, payoutOrders: payoutOrders.all, refundScripts, before, after, calls,
    commitLate: () => ledger.commitLate(), setState: (id, state) => ledger.setState(id, state), dispute: (chargeId, disputedMinor) => ledger.dispute(chargeId, disputedMinor),
    refundByHand: (chargeId, amountMinor) => ledger.make(chargeId, amountMinor, 'succeeded', null), movedMinor: (chargeId) => ledger.movedMinor(chargeId), orderAsIs: () => ledger.order(),
  };
}
