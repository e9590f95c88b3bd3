import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { ProviderAdapter, ProviderPayoutOrder } from '../../src/providers/provider.ts';
import { createFakeProvider, type FakeProvider } from '../support/fake-provider.ts';
import { failing } from './payout-scene.ts';

/** Minor units of every payout order here. */
export const AMOUNT_MINOR = 3_000;

/** What happens at the provider without us, from where to where. */
export const MOVES = {
  issue: [['open', 'pending']],
  begin: [['pending', 'pending_confirmation']],
  confirm: [['pending_confirmation', 'withdrawn']],
  reverse: [['pending_confirmation', 'reversed'], ['withdrawn', 'reversed']],
  cancel: [['pending', 'cancelled'], ['pending_confirmation', 'cancelled']],
  expire: [['pending', 'expired']],
  // What it must not do, and may do all the same.
  honour: [['cancelled', 'pending'], ['expired', 'pending_confirmation'], ['reversed', 'withdrawn']],
  takeBack: [['withdrawn', 'cancelled'], ['pending_confirmation', 'expired']],
} as const satisfies Record<string, readonly (readonly [PayoutOrderStatus, PayoutOrderStatus])[]>;

/** One of {@link MOVES}. */
export type Move = keyof typeof MOVES;

/** How a call for a reference ends. */
export type IssueFault = 'none' | 'lostAfter' | 'lostBefore' | 'late' | 'declined' | 'notSent' | 'opens';

/** A provider with one payout order, what was true there, and what it told. */
export class Till {
  readonly fake: FakeProvider = createFakeProvider([]);
  readonly adapter: ProviderAdapter;
  /** The statuses it went through. */
  readonly history: PayoutOrderStatus[] = [];
  /** Told and not delivered yet. */
  readonly outbox: PayoutOrderStatus[] = [];
  /** What the calls since the last `forget` were answered. */
  readonly shown: PayoutOrderStatus[] = [];
  /** So many statuses older than the truth is what reads show. */
  lag = 0;
  paidOutMinor = 0;
  #late: (() => unknown) | null = null;

  constructor() {
    const { adapter } = this.fake;
    const noted = async (answer: Promise<ProviderPayoutOrder>): Promise<ProviderPayoutOrder> => {
      try {
        const order = await answer;
        this.note();
        const told = { ...order, status: this.status ?? order.status };
        this.shown.push(told.status);
        return told;
      } finally {
        this.note();
      }
    };
    const lagging = async (answer: Promise<ProviderPayoutOrder>): Promise<ProviderPayoutOrder> => {
      const order = await answer;
      const status = this.history[Math.max(0, this.history.length - 1 - this.lag)] ?? order.status;
      this.lag = 0;
      this.shown.push(status);
      return { ...order, status };
    };
    this.adapter = {
      ...adapter,
      createPayoutOrder: (call, request) => noted(adapter.createPayoutOrder(call, request)),
      cancelPayoutOrder: (call, id) => noted(adapter.cancelPayoutOrder(call, id)),
      getPayoutOrder: (call, id) => lagging(adapter.getPayoutOrder(call, id)),
      findPayoutOrder: async (call, reference, createdAfter) => {
        const found = await adapter.findPayoutOrder(call, reference, createdAfter);
        if (found !== null) this.shown.push(found.status);
        return found;
      },
    };
  }

  get status(): PayoutOrderStatus | undefined {
    return this.fake.payoutOrders[0]?.status;
  }

  /** Writes down what became of the payout order, what was paid out, and what there is to tell. */
  note(): void {
    const { status } = this;
    const before = this.history.at(-1);
    if (status === undefined || status === before) return;
    this.history.push(status);
    this.outbox.push(status);
    if (status === 'withdrawn') this.paidOutMinor += AMOUNT_MINOR;
    if (before === 'withdrawn') this.paidOutMinor -= AMOUNT_MINOR;
  }

  /** Does something, where the provider's status allows it; whether it did. */
  move(move: Move): boolean {
    const order = this.fake.payoutOrders[0];
    const to = MOVES[move].find(([from]) => from === order?.status)?.[1];
    if (order === undefined || to === undefined) return false;
    order.status = to;
    this.note();
    return true;
  }

  /** How the coming call for the reference ends; `create` makes it. */
  arrangeIssue(fault: IssueFault, create: () => unknown): void {
    const { before, after } = this.fake;
    if (fault === 'lostAfter') after.createPayoutOrder.push(failing('unknown'));
    if (fault === 'lostBefore') before.createPayoutOrder.push(failing('unknown'));
    if (fault === 'declined') before.createPayoutOrder.push(failing('declined', { providerCode: 'customer_blocked' }));
    if (fault === 'notSent') before.createPayoutOrder.push(failing('not_sent'));
    if (fault === 'late') {
      before.createPayoutOrder.push(() => {
        this.#late = create;
        return failing('unknown')();
      });
    }
    if (fault === 'opens') {
      after.createPayoutOrder.push(() => {
        for (const order of this.fake.payoutOrders) order.status = 'open';
      });
    }
  }

  /** Executes what it put off: always within the settle delay. */
  async commitLate(): Promise<void> {
    const late = this.#late;
    this.#late = null;
    await late?.();
    this.note();
  }

  /** Nothing of what was arranged is left for other calls. */
  forget(): void {
    for (const queues of [this.fake.before, this.fake.after]) for (const queue of Object.values(queues)) queue.length = 0;
    this.shown.length = 0;
  }
}
