import { z } from 'zod';
import { NotRunningError } from '../../client/client-errors.ts';
import type { ReintegroClient } from '../../client/reintegro-client.ts';
import type { LegOfOrder } from '../../store/refunds/read.ts';
import { ApiError } from '../errors.ts';
import { isFailedRefund } from '../conekta/refund-words.ts';
import type { Records } from '../records.ts';

/** What telling refunds needs. */
interface Telling {
  readonly records: Records;
  readonly client: ReintegroClient;
}

const PROVIDER = 'conekta';

/** An order may be older than what we settled by this much without saying anything about it, milliseconds. */
const SNAPSHOT_AGE_MS = 10_000;

const id = z.string().min(1).max(255).regex(/^[\x21-\x7e]+$/);
const listOf = <T extends z.ZodType>(item: T) => z.looseObject({ has_more: z.unknown().optional(), data: z.array(item) });
const chargeSchema = z.looseObject({ id, refunds: listOf(z.looseObject({ id, status: z.unknown().optional() })).nullish() });
const orderSchema = z.looseObject({ object: z.literal('order'), id });
const chargesSchema = z.looseObject({ charges: listOf(z.unknown()) });
const chargeOfOrderSchema = z.looseObject({ object: z.literal('charge'), order_id: id });
const aboutSchema = z.looseObject({ data: z.looseObject({ object: z.looseObject({ object: z.enum(['order', 'charge']) }) }) });
const orderEventSchema = z.looseObject({ created_at: z.unknown().optional(), data: z.looseObject({ object: z.union([orderSchema, chargeOfOrderSchema]) }) });

/** A charge as an event shows it: its refunds by id, whether they failed, and whether these are all. */
interface ShownCharge {
  readonly isWhole: boolean;
  readonly failed: ReadonlyMap<string, boolean>;
}

/** What an event shows of an order: the states of its refunds by charge, as far as it shows them, and when it was made. */
interface Shown {
  readonly orderId: string;
  readonly madeAtMs: number;
  readonly charges: ReadonlyMap<string, ShownCharge>;
}

/**
 * Reads an event; `null` when it is about something else than an order or a charge (a chargeback, for instance). What it shows of the
 * charges may be unreadable: then it shows nothing.
 * @throws ApiError 400 when it names no order
 */
function readEvent(body: unknown): Shown | null {
  if (!aboutSchema.safeParse(body).success) return null;
  const parsed = orderEventSchema.safeParse(body);
  if (!parsed.success) throw new ApiError({ code: 'malformed_request' });
  const { created_at: createdAt, data: { object } } = parsed.data;
  return {
    orderId: object.object === 'order' ? object.id : object.order_id,
    madeAtMs: typeof createdAt === 'number' ? createdAt * 1000 : Date.now(),
    charges: new Map(chargesOf(object).map(({ id: chargeId, refunds }) => [chargeId, {
      isWhole: refunds?.has_more !== true, failed: new Map((refunds?.data ?? []).map((refund) => [refund.id, isFailedRefund(refund.status)])),
    }])),
  };
}

function chargesOf(object: z.output<typeof orderSchema> | z.output<typeof chargeOfOrderSchema>): readonly z.output<typeof chargeSchema>[] {
  const shown = object.object === 'order' ? chargesSchema.safeParse(object).data?.charges.data ?? [] : [object];
  return shown.map((charge) => chargeSchema.safeParse(charge).data).filter((charge) => charge !== undefined);
}

/**
 * Tells the refunds of an order that something happened at their provider (R6, R9). What the event says is a hint and never believed:
 * a refund under way asks the provider; one that is done is looked at again only if the event gives reason to doubt it.
 * @throws ApiError 400 when the event names no order
 */
export async function tellRefunds(telling: Telling, body: unknown, eventId: string): Promise<void> {
  const shown = readEvent(body);
  if (shown === null) return;
  const legs = await telling.records.acceptedLegsOfOrder(PROVIDER, shown.orderId);
  for (const leg of onePerRefund(legs.filter(({ status }) => status !== 'succeeded'))) await tellRefund(telling, leg, eventId);
  for (const leg of onePerRefund(legs.filter((candidate) => candidate.status === 'succeeded' && isDoubtful(candidate, shown)))) {
    await telling.client.reviewRefund(leg.merchantId, leg.refundId, shown.orderId, eventId);
  }
}

function onePerRefund(legs: readonly LegOfOrder[]): readonly LegOfOrder[] {
  return [...new Map(legs.map((leg) => [`${leg.merchantId} ${leg.refundId}`, leg])).values()];
}

async function tellRefund({ records, client }: Telling, { merchantId, refundId }: LegOfOrder, eventId: string): Promise<void> {
  try {
    await client.signalRefundFact(merchantId, refundId, eventId);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    // Its Workflow was ended by hand, and nobody follows it any more; or it has just come to its end, and then this opens no case.
    await records.openCase({ merchantId, refundId, kind: 'workflow_gone' });
  }
}

/** Whether an event gives reason to doubt a refund that is done: shown as failed, or no longer shown by an order that is newer. */
function isDoubtful({ chargeId, providerRefundId, updatedAt }: LegOfOrder, { charges, madeAtMs }: Shown): boolean {
  const shown = charges.get(chargeId);
  if (shown === undefined || providerRefundId === null) return false;
  return shown.failed.get(providerRefundId) ?? (shown.isWhole && updatedAt.getTime() + SNAPSHOT_AGE_MS < madeAtMs);
}
