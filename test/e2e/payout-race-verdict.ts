import type { Database } from '../../src/store/database.ts';
import type { RailAct, Told } from './payout-race-callers.ts';
import type { Race } from './payout-race-run.ts';

/** What the records hold of one payout order. */
export interface Books {
  readonly transitions: readonly { readonly from: string | null; readonly to: string; readonly actor: string }[];
  readonly movements: readonly { readonly kind: string; readonly amount: number; readonly currency: string }[];
  readonly events: readonly string[];
  readonly openCases: readonly string[];
  readonly needsAttention: boolean;
}

/** The machine of PRODUCT §6, written out from there. */
const EDGES: ReadonlySet<string> = new Set([
  'null>open', 'open>pending', 'pending>pending_confirmation', 'pending>cancelled', 'pending>expired',
  'pending_confirmation>withdrawn', 'pending_confirmation>reversed', 'pending_confirmation>cancelled',
]);
const FINAL: ReadonlySet<string> = new Set(['withdrawn', 'cancelled', 'expired', 'reversed']);

/** The status that an act brings about when it is done. */
const STATUS_OF: Readonly<Record<RailAct, string>> = { withdrawal: 'pending_confirmation', confirmation: 'withdrawn', reversal: 'reversed' };

/** Reads what the records hold of every payout order, by its id. */
export async function readBooks(db: Database): Promise<ReadonlyMap<string, Books>> {
  const [orders, transitions, events, movements, cases] = await Promise.all([
    db.selectFrom('payout_orders').select(['payout_order_id as id', 'needs_attention as needsAttention']).execute(),
    db.selectFrom('transitions').select(['subject_id as id', 'from_status as from', 'to_status as to', 'actor']).where('subject', '=', 'payout_order').orderBy('transition_id').execute(),
    db.selectFrom('events').select(['subject_id as id', 'type']).where('subject', '=', 'payout_order').orderBy('transition_id').execute(),
    db.selectFrom('money_movements').select(['payout_order_id as id', 'kind', 'amount_minor as amount', 'currency']).execute(),
    db.selectFrom('cases').select(['payout_order_id as id', 'kind']).where('status', '=', 'open').execute(),
  ]);
  const of = <Row extends { readonly id: string | null }>(rows: readonly Row[]): ReadonlyMap<string | null, readonly Row[]> => groupBy(rows, ({ id }) => id);
  const grouped = { transitions: of(transitions), events: of(events), movements: of(movements), cases: of(cases) };
  return new Map(orders.map(({ id, needsAttention }) => [id, {
    needsAttention, transitions: grouped.transitions.get(id) ?? [], events: (grouped.events.get(id) ?? []).map(({ type }) => type),
    movements: (grouped.movements.get(id) ?? []).map(({ kind, amount, currency }) => ({ kind, amount, currency })), openCases: (grouped.cases.get(id) ?? []).map(({ kind }) => kind),
  }]));
}

/** Rows by what they have in common, in order. */
export function groupBy<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): ReadonlyMap<Key, readonly Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}

/** Every way in which a race did not keep its promises; empty when it kept them all. `history`: what the provider announced. */
export function broken(race: Race, books: Books | undefined, history: readonly string[]): readonly string[] {
  if (books === undefined) return ['it is not on record'];
  return [...brokenPath(race, books), ...brokenAgreement(race, books, history), ...brokenMoney(race, books), ...race.told.flatMap((told) => brokenWord(told, race, books, history)), ...brokenAgain(race)];
}

/** One way through the machine, ending in one winner, with one event per step, and nobody called for help. */
function brokenPath({ record, end, face, told }: Race, { transitions, events, openCases, needsAttention }: Books): readonly string[] {
  const steps = transitions.map(({ from, to }) => `${from}>${to}`);
  const isChain = transitions.every(({ from }, index) => from === (transitions[index - 1]?.to ?? null));
  return [
    ...steps.filter((step) => !EDGES.has(step)).map((step) => `the machine has no ${step}`),
    ...(isChain ? [] : [`the transitions are no path: ${steps.join(', ')}`]),
    ...unless(transitions.filter(({ to }) => FINAL.has(to)).length === 1, `not one winner: ${steps.join(', ')}`),
    ...unless(transitions.at(-1)?.to === record.status && face === record.status && end === record.status, `the path ends in ${transitions.at(-1)?.to}, the Workflow in ${end}, the record is ${record.status}, the other face says ${face}`),
    ...unless(events.join() === transitions.map(({ to }) => `payout_order.${to}`).join(), `events: ${events.join(', ')}`),
    ...unless((openCases.length === 0 && !needsAttention) || (openCases.join() === 'contradiction' && told.some(isSuspect)), `cases: ${openCases.join(', ')}`),
  ];
}

/** A rail that reports a withdrawal of a reference which is void by then is told not to pay, and a person is told of the rail. */
function isSuspect(told: Told): boolean {
  return told.who === 'rail' && told.act === 'withdrawal' && told.says === 'excluded';
}

/** Our books say what the provider says (P2). A reference that we voided because its time was over is cancelled there, and expired here. */
function brokenAgreement({ record, provider, order }: Race, { transitions }: Books, history: readonly string[]): readonly string[] {
  const last = transitions.at(-1);
  const isVoidedByClock = order.isProviderLate && record.status === 'expired' && provider.status === 'cancelled' && last?.from === 'pending' && last.actor === 'expiry';
  return [
    ...unless(record.status === provider.status || isVoidedByClock, `our record is ${record.status} (by ${last?.actor}), the provider's ${provider.status}`),
    ...unless(!(order.isProviderLate && provider.status === 'expired'), 'a provider that is late let the reference expire'),
    ...unless(history.at(-1) === provider.status, `the provider announced ${history.join(', ')}`),
    // What we went through the provider went through, too.
    ...transitions.map(({ to }) => to).filter((to) => to === 'pending_confirmation' && !history.includes(to)).map((to) => `the provider never was ${to}`),
  ];
}

/** The journal has one withdrawal if and only if we say so, and our books hold the same (I1, I2, M7). */
function brokenMoney({ record, order, journal, provider }: Race, { movements }: Books): readonly string[] {
  const expected = JSON.stringify(record.status === 'withdrawn' ? [{ kind: 'withdrawal', amount: order.amountMinor, currency: 'MXN' }] : []);
  const money = (rows: Race['journal']): string => JSON.stringify(rows.map(({ kind, amount, currency }) => ({ kind, amount, currency })));
  return [
    ...unless(money(journal) === expected, `${record.status}, and the journal has ${money(journal)}`),
    ...unless(money(movements) === expected, `${record.status}, and our movements are ${money(movements)}`),
    ...unless(record.amount === order.amountMinor && provider.amount === order.amountMinor, `amounts: ${record.amount} here, ${provider.amount} there`),
  ];
}

/** What a caller was told is true, then and at the end. */
function brokenWord(told: Told, race: Race, books: Books, history: readonly string[]): readonly string[] {
  const says = `${told.who} was told ${JSON.stringify(told)}, and it ended ${race.record.status}`;
  switch (told.who) {
    case 'cancel': return unless(isTrueOfCancel(told, race, books), says);
    case 'till': return unless(isTrueOfTill(told, race, history), says);
    case 'rail': return unless(isTrueOfRail(told, race, books), says);
  }
}

function isTrueOfCancel({ says, status }: Extract<Told, { who: 'cancel' }>, { record }: Race, { transitions }: Books): boolean {
  const isKnown = status === null || transitions.some(({ to }) => to === status);
  if (says === 'cancelled') return record.status === 'cancelled' && status === 'cancelled';
  if (says === 'refused') return record.status !== 'cancelled' && status !== 'cancelled' && isKnown;
  return status !== 'cancelled' && isKnown;
}

function isTrueOfTill({ act, says, status }: Extract<Told, { who: 'till' }>, { provider, isVoidable }: Race, history: readonly string[]): boolean {
  if (says === 'refused') return true;
  if (act !== 'withdrawal') return status === STATUS_OF[act] && provider.status === STATUS_OF[act];
  return status === STATUS_OF[act] && history.includes(STATUS_OF[act]) && (provider.status === 'withdrawn' || provider.status === 'reversed' || (isVoidable && provider.status === 'cancelled'));
}

function isTrueOfRail({ act, says, status }: Extract<Told, { who: 'rail' }>, { record }: Race, { transitions }: Books): boolean {
  const isOnRecord = act === 'withdrawal' ? transitions.some(({ to }) => to === STATUS_OF[act]) : record.status === STATUS_OF[act];
  if (says === 'on record') return isOnRecord;
  if (says === 'undecided') return status !== null && !FINAL.has(status);
  // It must not act upon it: the contrary is final.
  return record.status === status && FINAL.has(record.status) && (act === 'withdrawal' ? record.status === 'cancelled' || record.status === 'expired' : record.status !== STATUS_OF[act]);
}

/** Asked again after the end, a cancel is told the same (P4). */
function brokenAgain({ again, record }: Race): readonly string[] {
  const expected = record.status === 'cancelled' ? 'cancelled' : 'refused';
  return unless(again.says === expected && again.status === record.status, `asked to cancel again after ${record.status}: ${JSON.stringify(again)}`);
}

function unless(isKept: boolean, what: string): readonly string[] {
  return isKept ? [] : [what];
}
