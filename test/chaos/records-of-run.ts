import type { CaseKind } from '../../src/domain/case.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';
import type { Database } from '../../src/store/database.ts';

/** What one row of movements says, whoever it is about. Positive minor units. */
interface Booked {
  readonly kind: string;
  readonly amount: number;
  readonly providerId: string | null;
}

/** Rows by what they are about; none for what has none. */
interface Grouped<Row> {
  of(id: string): readonly Row[];
}

/** All that the records say after a run. */
export interface RecordsOfRun {
  readonly refunds: ReadonlyMap<string, { readonly status: RefundStatus; readonly statusDetail: string }>;
  readonly payouts: ReadonlyMap<string, { readonly status: string; readonly statusDetail: string; readonly sends: number; readonly providerId: string | null }>;
  /** Of refunds and payout orders, in their order. */
  readonly transitions: Grouped<{ readonly from: string | null; readonly to: string }>;
  /** Open ones, by refund or payout order. */
  readonly cases: Grouped<CaseKind>;
  /** By charge or payout order. */
  readonly movements: Grouped<Booked>;
  readonly legsOfCharge: Grouped<{ readonly amountMinor: number }>;
  /** Sends that got a permit, or were given up before they asked for one: the protocol counts both. */
  readonly legsOfRefund: Grouped<{ readonly sends: number }>;
}

/** Reads all of it at once. */
export async function readRecords(db: Database): Promise<RecordsOfRun> {
  const refunds = await db.selectFrom('refunds').select(['refund_id', 'status', 'status_detail']).execute();
  const payouts = await db.selectFrom('payout_orders').select(['payout_order_id', 'status', 'status_detail', 'send_number', 'fenced_send', 'provider_payout_order_id']).execute();
  const transitions = await db.selectFrom('transitions').select(['subject_id', 'from_status', 'to_status']).orderBy('transition_id').execute();
  const cases = await db.selectFrom('cases').select(['refund_id', 'payout_order_id', 'kind']).where('status', '=', 'open').execute();
  const movements = await db.selectFrom('money_movements').select(['charge_id', 'payout_order_id', 'kind', 'amount_minor', 'provider_id']).orderBy('movement_id').execute();
  const legs = await db.selectFrom('legs').select(['refund_id', 'charge_id', 'amount_minor', 'send_number', 'fenced_send']).execute();
  return {
    refunds: new Map(refunds.map((row) => [row.refund_id, { status: row.status, statusDetail: row.status_detail }])),
    payouts: new Map(payouts.map((row) => [row.payout_order_id, { status: row.status, statusDetail: row.status_detail, sends: Math.max(row.send_number, row.fenced_send), providerId: row.provider_payout_order_id }])),
    transitions: grouped(transitions, (row) => row.subject_id, (row) => ({ from: row.from_status, to: row.to_status })),
    cases: grouped(cases, (row) => row.refund_id ?? row.payout_order_id, (row) => row.kind),
    movements: grouped(movements, (row) => row.charge_id ?? row.payout_order_id, (row) => ({ kind: row.kind, amount: row.amount_minor, providerId: row.provider_id })),
    legsOfCharge: grouped(legs, (row) => row.charge_id, (row) => ({ amountMinor: row.amount_minor })),
    legsOfRefund: grouped(legs, (row) => row.refund_id, (row) => ({ sends: Math.max(row.send_number, row.fenced_send) })),
  };
}

/** What the records say of transitions that have not exactly one event, and of events that say the same twice (I6). */
export async function eventsOutOfStep(db: Database): Promise<readonly string[]> {
  const rows = await db.selectFrom('transitions').leftJoin('events', 'events.transition_id', 'transitions.transition_id')
    .select(({ fn }) => ['transitions.transition_id', 'transitions.subject_id', fn.count<number>('events.event_id').as('events')])
    .groupBy(['transitions.transition_id', 'transitions.subject_id']).having(({ fn }) => fn.count('events.event_id'), '<>', 1).execute();
  const doubled = await db.selectFrom('events').select(({ fn }) => ['event_id', fn.countAll<number>().as('rows')]).groupBy('event_id').having(({ fn }) => fn.countAll(), '>', 1).execute();
  return [
    ...rows.map((row) => `transition ${row.transition_id} of ${row.subject_id} has ${row.events} events`),
    ...doubled.map((row) => `the event ${row.event_id} is there ${row.rows} times`),
  ];
}

function grouped<Row, Value>(rows: readonly Row[], keyOf: (row: Row) => string | null, valueOf: (row: Row) => Value): Grouped<Value> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === null) continue;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(valueOf(row));
  }
  return { of: (id) => groups.get(id) ?? [] };
}
