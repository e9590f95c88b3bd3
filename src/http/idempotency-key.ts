import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

/** What comes back in a header as it went. */
const VISIBLE_ASCII = /^[\x20-\x7e]+$/;

/** The key of a request that moves money (R8). */
export interface IdempotencyKey {
  readonly key: string;
  /** Whether the caller sent it; otherwise nobody can have used it before. */
  readonly isGiven: boolean;
}

/**
 * Reads `Idempotency-Key`, quoted or bare, or makes one, and puts the key used on the answer, so that a request whose answer
 * is lost or is an error can be repeated safely.
 * @throws ApiError 422 for an empty key, one over 255 characters, or one with others than visible ASCII characters
 */
export function takeIdempotencyKey(request: FastifyRequest, reply: FastifyReply): IdempotencyKey {
  const header = request.headers['idempotency-key'];
  const taken = header === undefined ? { key: randomUUID(), isGiven: false } : { key: checkedKey(String(header)), isGiven: true };
  void reply.header('Idempotency-Key', taken.key);
  return taken;
}

function checkedKey(header: string): string {
  const key = /^"(.*)"$/s.exec(header)?.[1] ?? header;
  if (key.length > 255 || key.trim() === '' || !VISIBLE_ASCII.test(key)) throw new ApiError({ code: 'idempotency_key_invalid', param: 'Idempotency-Key' });
  return key;
}
