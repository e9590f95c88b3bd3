import { setTimeout as delay } from 'node:timers/promises';
import { isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import type { Database } from '../../src/store/database.ts';
import { LATEST_COMMIT_MS } from '../e2e/fault-plan.ts';
import { providerSide } from '../e2e/provider-side.ts';
import type { ChaosStage } from './chaos-stage.ts';

/** How long a run may take to come to rest after its last kill, milliseconds: longer than an act on a lost worker, and a look that fails for a minute. */
const REST_MS = 180_000;
/** How long both sides may still differ once all is at rest, milliseconds: longer than the sandbox pauses before it tries a webhook again that met a killed API. */
const CATCH_UP_MS = 20_000;
const POLL_MS = 500;

/** How a payout order stands that is still to get its reference (src/http/conekta/ask-payout-order.ts). */
const BEING_ISSUED: readonly string[] = ['registered', 'issuing', 'verifying'];

/** Waits until nothing is under way any more, and neither side has written anything for a while. Gives what is under way all the same. */
export async function untilQuiet(stage: ChaosStage, { catchesUp }: { readonly catchesUp: boolean }): Promise<readonly string[]> {
  const giveUpAt = Date.now() + REST_MS;
  let unrest = await unrestOf(stage.db);
  let size = '';
  let changedAt = Date.now();
  for (let restedAt = 0; Date.now() < giveUpAt; unrest = await unrestOf(stage.db)) {
    const now = await sizeOfBooks(stage);
    if (now.text !== size) changedAt = Date.now();
    size = now.text;
    restedAt = unrest.length > 0 ? 0 : restedAt === 0 ? Date.now() : restedAt;
    const isCaughtUp = !catchesUp || now.isEven || Date.now() - restedAt > CATCH_UP_MS;
    // Whatever was still on its way to the provider has been executed and noticed after this.
    if (restedAt !== 0 && isCaughtUp && Date.now() - changedAt > LATEST_COMMIT_MS + 1000) return [];
    await delay(POLL_MS);
  }
  return unrest;
}

/** How much either side has written; all of it is append-only. `isEven`: both have as many movements. */
async function sizeOfBooks({ db, product }: ChaosStage): Promise<{ readonly text: string; readonly isEven: boolean }> {
  const journal = await providerSide(product.sandboxUrl).journalOfAll();
  const transitions = await db.selectFrom('transitions').select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow();
  const movements = await db.selectFrom('money_movements').select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow();
  return { text: `${journal.length} ${transitions.rows} ${movements.rows}`, isEven: journal.length === Number(movements.rows) };
}

/** The refunds and payout orders on record that something is still expected to happen to. */
async function unrestOf(db: Database): Promise<readonly string[]> {
  const held = await refundsThatWait(db);
  const refunds = await db.selectFrom('refunds').select(['refund_id', 'status', 'status_detail']).execute();
  const payouts = await db.selectFrom('payout_orders').select(['payout_order_id', 'status', 'status_detail', 'needs_attention', 'expires_at']).execute();
  const isUnderWay = ({ status, status_detail: detail, expires_at: expiresAt }: (typeof payouts)[number]): boolean =>
    status === 'pending_confirmation' || (status === 'open' && BEING_ISSUED.includes(detail)) || (status === 'pending' && expiresAt.getTime() < Date.now() + REST_MS);
  return [
    ...refunds.filter((row) => !isFinalRefundStatus(row.status) && !held.has(row.refund_id)).map((row) => `refund ${row.refund_id} is ${row.status}, ${row.status_detail}`),
    ...payouts.filter((row) => !row.needs_attention && isUnderWay(row)).map((row) => `payout order ${row.payout_order_id} is ${row.status}, ${row.status_detail}`),
  ];
}

/** The refunds that wait for a human, or in line behind one that does. */
export async function refundsThatWait(db: Database): Promise<ReadonlySet<string>> {
  const cases = await db.selectFrom('cases').select(['refund_id', 'leg_id']).where('status', '=', 'open').execute();
  const gates = await db.selectFrom('legs').innerJoin('charges', (join) => join.onRef('charges.charge_id', '=', 'legs.charge_id').onRef('charges.merchant_id', '=', 'legs.merchant_id'))
    .select(['legs.refund_id', 'gate_leg_id']).where('legs.status', '=', 'reserved').execute();
  const legs = new Set(cases.map((row) => row.leg_id));
  const behind = gates.filter((row) => row.gate_leg_id !== null && legs.has(row.gate_leg_id));
  return new Set([...cases.map((row) => row.refund_id), ...behind.map((row) => row.refund_id)].filter((id) => id !== null));
}
