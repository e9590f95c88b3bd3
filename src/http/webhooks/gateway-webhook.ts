import type { KeyObject } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ReintegroClient } from '../../client/reintegro-client.ts';
import { ApiError } from '../errors.ts';
import type { Records } from '../records.ts';
import { PROVIDER } from '../gateway/provider-name.ts';
import { MAX_WEBHOOK_BYTES, readSignedWebhook } from './signature.ts';
import { tellRefunds } from './tell-refunds.ts';
import type { ShownRefunds } from './tell-refunds.ts';

/** What taking in the gateway's webhooks needs. */
interface GatewayWebhookContext {
  readonly records: Records;
  readonly client: ReintegroClient;
  /** The provider's RSA public keys; without one all webhooks are refused. */
  readonly publicKeys: readonly KeyObject[];
}

/** The words by which a message says that a refund failed for good. */
const FAILED: ReadonlySet<unknown> = new Set(['rejected', 'cancelled', 'dismissed']);

const text = z.string().min(1).max(255).regex(/^[\x21-\x7e]+$/);
const eventSchema = z.looseObject({
  id: text,
  created_at: z.unknown().optional(),
  data: z.looseObject({ object: z.looseObject({ object: z.literal('payment'), id: text, refunds: z.array(z.looseObject({ id: text, status: z.unknown() })).nullish() }) }),
});

/** Registers the intake of the gateway's webhooks (A8): taken in once, answered 2xx only when what they say is durable. */
export function registerGatewayWebhook(app: FastifyInstance, context: GatewayWebhookContext): void {
  app.post('/webhooks/gateway', { bodyLimit: MAX_WEBHOOK_BYTES, config: { access: 'public' } }, async (request, reply) => {
    const parsed = eventSchema.safeParse(readSignedWebhook(request, context.publicKeys));
    if (!parsed.success) throw new ApiError({ code: 'malformed_request' });
    const { id: eventId } = parsed.data;
    if (!(await context.records.wasTakenIn(PROVIDER, eventId))) {
      await tellRefunds(context, PROVIDER, shownBy(parsed.data), eventId);
      // Only now: a crash before this line takes the event in again, which changes nothing.
      await context.records.rememberTakenIn(PROVIDER, eventId);
    }
    return reply.status(200).send({});
  });
}

function shownBy({ created_at: createdAt, data: { object: payment } }: z.output<typeof eventSchema>): ShownRefunds {
  const refunds = payment.refunds ?? [];
  const failed = new Map(refunds.map((refund) => [refund.id, FAILED.has(refund.status)]));
  const words = new Map(refunds.flatMap(({ id, status }) => (typeof status === 'string' ? [[id, status] as const] : [])));
  return {
    orderId: payment.id, madeAtMs: typeof createdAt === 'number' ? createdAt * 1000 : Date.now(),
    charges: new Map([[payment.id, { isWhole: payment.refunds !== undefined && payment.refunds !== null, failed, words }]]),
  };
}
