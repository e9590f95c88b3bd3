import type { PayoutOrderStatus } from '../domain/payout-order.ts';
import type { Database } from './database.ts';

/** Whether a provider's webhook was taken in before (A8). */
export async function wasTakenIn(db: Database, provider: string, providerEventId: string): Promise<boolean> {
  const row = await db.selectFrom('provider_events').select('provider_event_id').where('provider', '=', provider).where('provider_event_id', '=', providerEventId).executeTakeFirst();
  return row !== undefined;
}

/** Remembers a webhook, after what it said is durable elsewhere: a crash in between takes it in twice, which changes nothing (P6). */
export async function rememberTakenIn(db: Database, provider: string, providerEventId: string): Promise<void> {
  await db.insertInto('provider_events').values({ provider, provider_event_id: providerEventId }).onConflict((conflict) => conflict.doNothing()).execute();
}

/** Whether our books have been through a status of a payout order, or are in it: then what a provider's webhook says of it is old news (P6). */
export async function hasPassed(db: Database, merchantId: string, payoutOrderId: string, status: PayoutOrderStatus): Promise<boolean> {
  const row = await db.selectFrom('transitions').select('transition_id')
    .where('merchant_id', '=', merchantId).where('subject', '=', 'payout_order').where('subject_id', '=', payoutOrderId).where('to_status', '=', status).executeTakeFirst();
  return row !== undefined;
}

/** Whether our books took a step with a payout order after this instant of the provider's clock; callers must stand that the clocks differ. */
export async function endedAfter(db: Database, merchantId: string, payoutOrderId: string, at: Date): Promise<boolean> {
  const row = await db.selectFrom('transitions').select('transition_id')
    .where('merchant_id', '=', merchantId).where('subject', '=', 'payout_order').where('subject_id', '=', payoutOrderId).where('at', '>', at).executeTakeFirst();
  return row !== undefined;
}
