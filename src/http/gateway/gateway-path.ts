import type { FastifyRequest } from 'fastify';

const GATEWAY = /^\/+(?:api\/+v2|pagos|webhooks\/+gateway)(?:[/?#]|$)/;

/** Whether a request is for the gateway face (A2): by its route, or, where there is none, by the address as it was sent. */
export function isGateway({ routeOptions, originalUrl }: FastifyRequest): boolean {
  return GATEWAY.test(routeOptions.url ?? originalUrl);
}
