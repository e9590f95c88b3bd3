import type { FastifyRequest } from 'fastify';

const NATIVE = /^\/+v1(?:[/?#]|$)/;

/** Whether a request is for the native face (A3): by its route, or, where there is none, by the address as it was sent. */
export function isNative({ routeOptions, originalUrl }: FastifyRequest): boolean {
  return NATIVE.test(routeOptions.url ?? originalUrl);
}
