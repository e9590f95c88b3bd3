import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { CONEKTA_MEDIA_TYPE } from './media-type.ts';
import type { OrderSource } from './order-source.ts';

/** What the routes of the Conekta face work with. */
export interface ConektaContext extends ApiContext {
  readonly orders: OrderSource;
  /** The provider's base address for orders. */
  readonly ordersBaseUrl: string;
}

/** Sends a JSON answer in the dialect. */
export function sendAnswer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.status(status).type(CONEKTA_MEDIA_TYPE).send(body);
}

/** Our own base address, as the caller reached us. */
export function ownBaseUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
