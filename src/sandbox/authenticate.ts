import { createHash } from 'node:crypto';
import { unauthenticated } from './conekta-refusals.ts';

/**
 * Reads the key of a request, `Bearer key_…` or `Basic base64("key_…:")`, and returns its SHA-256: data is kept apart by it, and the key
 * itself is never stored (CONTRACT §1).
 * @throws ConektaError 401 when there is none, or it does not begin with `key_`.
 */
export function authenticate(authorization: string | undefined): string {
  const [, scheme = '', credentials = ''] = /^(Bearer|Basic)\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  const key = scheme.toLowerCase() === 'basic' ? Buffer.from(credentials, 'base64').toString('utf8').split(':', 1)[0] ?? '' : credentials;
  if (!/^key_./.test(key)) throw unauthenticated();
  return createHash('sha256').update(key).digest('hex');
}
