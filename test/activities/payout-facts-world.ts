import { sql } from 'kysely';
import { expect } from 'vitest';

import { createPayoutActivities } from '../../activities/payout-activities.ts';
import type { AskCause, PayoutActivities, PayoutOrderRef, PayoutOutcome } from '../../activities/payout-contracts.ts';
import type { CaseKind } from '../../src/domain/case.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { createRecords } from '../../src/http/records.ts';
import { takeInLateFact } from '../../src/http/webhooks/late-fact.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { inContext, interrupted, type Death } from './activity-scene.ts';
import { contradictionOf, EDGES, FINAL, followed, GROUNDS, lateCase } from './payout-facts-model.ts';
import { AMOUNT_MINOR, Till, type IssueFault } from './payout-facts-till.ts';
import { failing } from './payout-scene.ts';

/** How often what was reached. */
export type Counters = Map<string, number>;

/** A call of ours: how its answer is lost, and where the process dies. */
export interface Trouble {
  readonly loss: 'none' | 'before' | 'after' | 'not_sent';
  readonly death: Death['moment'] | null;
}

/** The merchant of every run: nothing but the payout order is made anew. */
export const MERCHANT = 'mer_facts';
const CREDENTIALS = { [MERCHANT]: { acme: 'secret' } };

/** All that is on record about a payout order, as one question. */
interface Books {
  readonly status: PayoutOrderStatus;
  readonly needs_attention: boolean;
  readonly provider_payout_order_id: string | null;
  readonly steps: readonly { readonly id: number; readonly from: PayoutOrderStatus | null; readonly to: PayoutOrderStatus; readonly events: readonly string[] }[];
  readonly moved: readonly { readonly kind: string; readonly amount: number; readonly provider: string }[];
  readonly cases: readonly CaseKind[];
}

/** One payout order that is driven as its Workflow drives it, beside the model that says what must be on record. */
export class World {
  readonly till = new Till();
  /** What the model says is on record. */
  ours: PayoutOrderStatus = 'open';
  isRefused = false;
  /** A send has no known outcome: it is looked for before anything else. */
  needsLook = false;
  /** A void has no known outcome. */
  verifying: 'cancel' | 'expiry' | null = null;
  readonly cases = new Set<CaseKind>();
  readonly #db: Database;
  readonly #key: PayoutOrderRef;
  readonly #counters: Counters;
  #sendNumber = 0;
  #books: Books | null = null;

  constructor(db: Database, id: string, counters: Counters) {
    this.#db = db;
    this.#key = { workflowId: `payout:${id}`, runId: 'run_1', merchantId: MERCHANT, payoutOrderId: id };
    this.#counters = counters;
  }

  count(what: string): void {
    this.#counters.set(what, (this.#counters.get(what) ?? 0) + 1);
  }

  get isOver(): boolean {
    return this.isRefused || FINAL.includes(this.ours);
  }

  /** Where a fact is told to nobody but the records. */
  get isIssued(): boolean {
    return this.ours === 'pending' || this.ours === 'pending_confirmation';
  }

  #activities(death?: Death): PayoutActivities {
    const entry = { adapter: this.till.adapter, settleDelayMs: 1000, maxSends: 3, timeoutMs: 1000, confirmationWindowMs: 180_000, pollMs: null };
    return inContext(createPayoutActivities({ db: death === undefined ? this.#db : interrupted(this.#db, death), providers: createProviderRegistry([entry], CREDENTIALS) }));
  }

  /** Registers it, or begins again as a Workflow does that lost all it knew but the records. */
  async register(): Promise<void> {
    const plan = await this.#activities().registerPayoutOrder({
      ...this.#key, amountMinor: AMOUNT_MINOR, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Referencia', expiresAt: '2030-01-01T00:00:00.000Z',
      metadata: {}, idempotencyKey: this.#key.payoutOrderId, fingerprint: 'f', requestedBy: 'key_test',
    });
    expect(plan.standing?.status ?? 'open').toBe(this.ours);
    this.#sendNumber = plan.lastSend ?? 0;
    this.needsLook = this.#sendNumber > 0 && this.ours === 'open' && !this.isRefused;
    this.verifying = null;
    await this.check();
  }

  /** The send protocol's next step: a send, or the look that must follow one. */
  async issue(fault: IssueFault, death: Death | null, look: { readonly early: boolean; readonly loss: boolean }): Promise<void> {
    const input = { ...this.#key, sendNumber: this.#sendNumber };
    if (this.needsLook) {
      if (!look.early) await this.passTime();
      if (look.loss) this.till.fake.before.findPayoutOrder.push(failing('unknown'));
      if (look.loss) this.count('lost: find');
      await this.#step('fact', (activities) => activities.findReference(input), death);
      return;
    }
    this.#sendNumber += 1;
    this.till.arrangeIssue(fault, () => this.till.adapter.createPayoutOrder({ credential: 'secret' }, { ...REQUEST, reference: this.#key.payoutOrderId }));
    if (fault !== 'none' && fault !== 'declined') this.count(`lost: create, ${fault}`);
    await this.#step('fact', (activities) => activities.issueReference({ ...input, sendNumber: this.#sendNumber }), death);
  }

  /** The send's call has ended long ago, and the provider has done what it put off. */
  async passTime(): Promise<void> {
    await this.till.commitLate();
    const at = new Date(Date.now() - 3_600_000);
    await this.#db.updateTable('payout_orders').set({ sent_at: sql<Date>`case when sent_at is null then null else ${at}::timestamptz end`, call_ended_at: sql<Date>`case when call_ended_at is null then null else ${at}::timestamptz end` })
      .where('merchant_id', '=', MERCHANT).where('payout_order_id', '=', this.#key.payoutOrderId).execute();
    this.till.forget();
  }

  /** Asks the provider to void the reference. */
  async void(cause: 'cancel' | 'expiry', { loss, death }: Trouble): Promise<void> {
    const { before, after } = this.till.fake;
    if (loss === 'before') before.cancelPayoutOrder.push(failing('unknown'));
    if (loss === 'after') after.cancelPayoutOrder.push(failing('unknown'));
    if (loss === 'not_sent') before.cancelPayoutOrder.push(failing('not_sent'));
    if (loss !== 'none') this.count(`lost: void, ${loss}`);
    const outcome = await this.#step(cause, (activities) => activities.voidReference({ ...this.#key, cause, actor: 'key_test' }), death === null ? null : { transaction: 1, moment: death });
    this.verifying = outcome?.kind === 'unknown' || outcome === null ? cause : null;
    if (outcome?.kind === 'declined') await this.follow(cause, { loss: 'none', death: null });
  }

  /** Asks the provider how it stands; a void of unknown outcome comes first, and a question is asked again until it is answered. */
  async follow(asked: AskCause, { loss, death }: Trouble): Promise<void> {
    const cause = this.verifying ?? asked;
    if (loss === 'before' || loss === 'after') {
      this.till.fake[loss].getPayoutOrder.push(failing('unknown'));
      this.count('lost: read');
    }
    const ask = (activities: PayoutActivities) => activities.followPayoutOrder({ ...this.#key, cause, actor: 'rail' });
    let outcome = await this.#step(cause, ask, death === null ? null : { transaction: 1, moment: death });
    // Temporal asks again, as if for the first time.
    if (outcome === null) outcome = await this.#step(cause, ask, null);
    if (outcome !== null) this.verifying = null;
  }

  /** A provider's message arrives. */
  async tell(told: PayoutOrderStatus): Promise<void> {
    if (this.isIssued) return this.follow('fact', { loss: 'none', death: null });
    if (!this.isOver) return undefined;
    const kind = lateCase(this.ours, told, (this.#books?.steps ?? []).map((step) => step.to));
    if (kind !== null) {
      this.cases.add(kind);
      this.count(`contradiction: ${contradictionOf(this.ours, told)}`);
    }
    await takeInLateFact(createRecords(this.#db), { merchantId: MERCHANT, payoutOrderId: this.#key.payoutOrderId, theirs: told, happenedAt: null });
    return this.check();
  }

  /** One Activity: what it answers, and what the books then say, must be what the model makes of what the provider showed; `null` when it was lost. */
  async #step(cause: AskCause, run: (activities: PayoutActivities) => Promise<{ readonly kind: string; readonly status?: PayoutOrderStatus }>, death: Death | null): Promise<PayoutOutcome | { readonly kind: 'unknown' } | null> {
    this.till.shown.length = 0;
    let outcome: { readonly kind: string; readonly status?: PayoutOrderStatus } | null = null;
    try {
      outcome = await run(this.#activities(death ?? undefined));
    } catch (error) {
      if (death !== null && (error as Error).message === 'killed') this.count(`death: ${death.moment}`);
      else expect(error).toMatchObject({ type: 'Provider.unknown' });
    }
    this.till.note();
    const next = this.#foldShown(cause, outcome);
    this.till.forget();
    if (outcome === null) {
      // Lost on the way, before or after it was written down: the books say which.
      const { status } = await this.#read();
      expect([this.ours, next]).toContain(status);
      this.ours = status;
      if (status === 'open') this.needsLook = true;
    } else {
      this.ours = next;
      if (outcome.status !== undefined) expect(outcome.status).toBe(next);
      this.needsLook = this.#stillUnknown(outcome.kind, next);
      this.isRefused ||= next === 'open' && outcome.kind === 'declined';
      // As its Workflow does.
      if (outcome.kind === 'contradiction') await this.#activities().openCase({ ...this.#key, kind: 'contradiction' });
    }
    await this.check();
    return outcome as PayoutOutcome | null;
  }

  #stillUnknown(kind: string, next: PayoutOrderStatus): boolean {
    return next === 'open' && (kind === 'unknown' || kind === 'too_early');
  }

  #foldShown(cause: AskCause, outcome: { readonly kind: string } | null): PayoutOrderStatus {
    let ours = this.ours;
    for (const shown of this.till.shown) {
      const next = followed(ours, shown, cause);
      if (next !== '!') ours = next;
      else if (outcome !== null) {
        expect(outcome.kind).toBe('contradiction');
        this.count(`contradiction: ${contradictionOf(ours, shown)}`);
        this.cases.add('contradiction');
      }
    }
    return ours;
  }

  async #read(): Promise<Books> {
    const id = this.#key.payoutOrderId;
    const { rows: [row] } = await sql<Books>`
      select status, needs_attention, provider_payout_order_id,
        (select json_agg(json_build_object('id', transition_id, 'from', from_status, 'to', to_status, 'events', (select coalesce(json_agg(type), '[]') from events where events.transition_id = transitions.transition_id)) order by transition_id)
          from transitions where merchant_id = ${MERCHANT} and subject = 'payout_order' and subject_id = ${id}) as steps,
        (select coalesce(json_agg(json_build_object('kind', kind, 'amount', amount_minor, 'provider', provider_id)), '[]') from money_movements where merchant_id = ${MERCHANT} and payout_order_id = ${id}) as moved,
        (select coalesce(json_agg(kind order by case_id), '[]') from cases where merchant_id = ${MERCHANT} and payout_order_id = ${id} and cases.status = 'open') as cases
      from payout_orders where merchant_id = ${MERCHANT} and payout_order_id = ${id}`.execute(this.#db);
    if (row === undefined) throw new Error('the payout order is not on record');
    return row;
  }

  /** Holds the books against the machine, the money and the model. */
  async check(): Promise<void> {
    const books = await this.#read();
    expect(books.status).toBe(this.ours);
    // Append-only, along the edges, one event each (I4, I6, O3).
    expect(books.steps.slice(0, this.#books?.steps.length ?? 0)).toEqual(this.#books?.steps ?? []);
    for (const [index, step] of books.steps.entries()) {
      const from = index === 0 ? null : books.steps[index - 1]?.to;
      expect(step).toMatchObject({ from, events: [`payout_order.${step.to}`] });
      expect(from === null || from === undefined ? ['open'] : EDGES[from]).toContain(step.to);
    }
    expect(books.steps.at(-1)?.to).toBe(this.ours);
    expect(books.moved).toEqual(this.ours === 'withdrawn' ? [{ kind: 'withdrawal', amount: AMOUNT_MINOR, provider: this.till.fake.payoutOrders[0]?.providerPayoutOrderId }] : []);
    // Nothing is guessed: it was so at the provider at some time.
    const grounds = GROUNDS[this.ours];
    if (grounds !== null) expect(this.till.history.some((status) => grounds.includes(status))).toBe(true);
    expect(this.till.fake.payoutOrders.length).toBeLessThanOrEqual(1);
    expect([...books.cases].toSorted()).toEqual([...this.cases].toSorted());
    expect(books.needs_attention).toBe(this.cases.size > 0);
    this.#books = books;
  }
}

const REQUEST = { amountMinor: AMOUNT_MINOR, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Referencia', expiresAt: 1_893_456_000, metadata: {} } as const;
