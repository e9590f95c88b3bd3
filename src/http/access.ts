import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { KeyHolder, Scope } from '../store/merchants.ts';
import { ApiError } from './errors.ts';
import type { Records } from './records.ts';

/** Who may use a route: anybody, or holders of a key with one of these scopes. A route that says nothing asks for a key. */
export type Access = 'public' | readonly Scope[];

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the request speaks for; `null` on public routes. */
    caller: KeyHolder | null;
  }
  interface FastifyContextConfig {
    access?: Access;
  }
}

/** Scopes of routes that only read. */
export const READING: readonly Scope[] = ['read', 'refunds', 'payouts'];

/**
 * Finds out who calls and whether the route is open to them.
 * @throws ApiError 401 without a valid key, 403 without the scope; RecordsUnavailableError
 */
export async function admit(records: Records, request: FastifyRequest): Promise<KeyHolder | null> {
  const access = request.routeOptions.config?.access;
  if (access === 'public') return null;
  const key = readKey(request.headers.authorization);
  const holder = key === null ? null : await records.findKeyHolder(createHash('sha256').update(key).digest('hex'));
  if (holder === null) throw new ApiError({ code: 'unauthenticated' });
  if (access !== undefined && !access.some((scope) => holder.scopes.includes(scope))) throw new ApiError({ code: 'scope_missing' });
  return holder;
}

/** The caller of a route that asks for a key. */
export function callerOf(request: FastifyRequest): KeyHolder {
  if (request.caller === null) throw new Error('a route that needs a caller was left public');
  return request.caller;
}

/** Reads the key: `Bearer <key>` as the SDK sends it, or `Basic base64("<key>:")` as the seeds do (CONTRACT §1). `null` when there is none. */
export function readKey(authorization: string | undefined): string | null {
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +([\x21-\x7e]{1,1024})$/i.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  const [user = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
  return user === '' ? null : user;
}
