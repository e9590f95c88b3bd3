import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { bodyBytes, parseJson } from '../json-body.ts';

/** The largest webhook that is read, bytes. */
export const MAX_WEBHOOK_BYTES = 1024 * 1024;

/**
 * Reads a webhook that one of the keys has signed: RSA-SHA256, PKCS#1 v1.5, base64 in `DIGEST`, over the body's bytes (A8).
 * @throws ApiError 401 when it is not signed so, 400 when it is not JSON
 */
export function readSignedWebhook(request: FastifyRequest, publicKeys: readonly KeyObject[]): unknown {
  const bytes = bodyBytes(request);
  if (!isSigned(bytes, request.headers['digest'], publicKeys)) throw new ApiError({ code: 'webhook_signature_invalid' });
  return parseJson(bytes).value;
}

function isSigned(bytes: Buffer, digest: string | string[] | undefined, publicKeys: readonly KeyObject[]): boolean {
  if (typeof digest !== 'string') return false;
  const signature = Buffer.from(digest, 'base64');
  return publicKeys.some((publicKey) => verify('RSA-SHA256', bytes, publicKey, signature));
}
