import type { KeyObject } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { NotRunningError } from '../../client/client-errors.ts';
import type { ReintegroClient } from '../../client/reintegro-client.ts';
import { PAYOUT_ORDER_STATUSES } from '../../domain/payout-order.ts';
import type { PayoutOrderRecord } from '../../store/payout-orders/read.ts';
import { sendAnswer } from '../conekta/conekta-context.ts';
import { PROVIDER } from '../conekta/provider-name.ts';
import { ApiError } from '../errors.ts';
import type { Records } from '../records.ts';
import { revivePayoutOrder } from '../revive-payout-order.ts';
import { takeInLateFact } from './late-fact.ts';
import { readOrderEvent } from './order-events.ts';
import { MAX_WEBHOOK_BYTES, readSignedWebhook } from './signature.ts';
import { tellRefunds } from './tell-refunds.ts';

/** What taking in webhooks needs. */
export interface WebhookContext {
  readonly records: Records;
  readonly client: ReintegroClient;
  /** The provider's RSA public keys: a webhook signed by any of them is taken, and without one all are refused. */
  readonly publicKeys: readonly KeyObject[];
}

type FactType = Parameters<ReintegroClient['signalPayoutFact']>[2]['type'];

const text = z.string().min(1).max(255).regex(/^[\x21-\x7e]+$/);
const eventSchema = z.looseObject({
  id: text, type: text,
  /** Unix seconds; an event is not refused for what is said here. */
  created_at: z.int().min(0).max(99_999_999_999).nullish().catch(null),
});
const payoutOrderEventSchema = z.looseObject({
  data: z.looseObject({ object: z.looseObject({ id: text, metadata: z.looseObject({ reintegro_id: text.nullish() }).nullish() }) }),
});

/** What an event says happened; the Workflow asks the provider in any case (P2). */
const FACTS: Readonly<Record<string, FactType>> = {
  'payout_order.pending_confirmation': 'withdrawal', 'payout_order.withdrawn': 'confirmation', 'payout_order.reversed': 'reversal',
  'payout_order.cancelled': 'cancellation', 'payout_order.expired': 'expiry',
};

/** Registers the intake of Conekta's webhooks (A8): verified over the raw bytes, taken in once, answered 2xx only when what they say is durable. */
export function registerConektaWebhook(app: FastifyInstance, context: WebhookContext): void {
  app.post('/webhooks/conekta', { bodyLimit: MAX_WEBHOOK_BYTES, config: { access: 'public' } }, async (request, reply) => {
    await takeIn(context, readSignedWebhook(request, context.publicKeys));
    return sendAnswer(reply, 200, {});
  });
}

async function takeIn(context: WebhookContext, body: unknown): Promise<void> {
  const { records } = context;
  const event = parseEvent(eventSchema, body);
  if (await records.wasTakenIn(PROVIDER, event.id)) return;
  if (event.type.startsWith('payout_order.')) {
    const { object } = parseEvent(payoutOrderEventSchema, body).data;
    const record = await records.findByProviderId(PROVIDER, object.id, object.metadata?.reintegro_id ?? null);
    if (record !== null && isAnother(record, object.id)) await records.openCase({ merchantId: record.merchantId, payoutOrderId: record.payoutOrderId, kind: 'contradiction' });
    else if (record !== null) await tellPayoutOrder(context, record, event);
  } else if (/^(order|charge)\./.test(event.type)) {
    const shown = readOrderEvent(body);
    if (shown !== null) await tellRefunds(context, PROVIDER, shown, event.id);
  }
  // Only now: a crash before this line takes the event in again, which changes nothing (P6).
  await records.rememberTakenIn(PROVIDER, event.id);
}

/** A second payout order of the provider that carries our id: a lost request was executed later than its settle delay, and both can be collected (S4). */
function isAnother({ providerPayoutOrderId }: PayoutOrderRecord, id: string): boolean {
  return providerPayoutOrderId !== null && providerPayoutOrderId !== id;
}

async function tellPayoutOrder({ records, client }: WebhookContext, { merchantId, payoutOrderId }: PayoutOrderRecord, event: z.output<typeof eventSchema>): Promise<void> {
  try {
    await client.signalPayoutFact(merchantId, payoutOrderId, { type: FACTS[event.type] ?? 'changed', eventId: event.id });
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    if (await revivePayoutOrder({ records, client }, merchantId, payoutOrderId)) return;
    const status = PAYOUT_ORDER_STATUSES.find((word) => event.type === `payout_order.${word}`);
    const happenedAt = typeof event.created_at === 'number' ? new Date(event.created_at * 1000) : null;
    if (status !== undefined) await takeInLateFact(records, { merchantId, payoutOrderId, theirs: status, happenedAt });
  }
}

function parseEvent<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new ApiError({ code: 'malformed_request' });
  return parsed.data;
}
