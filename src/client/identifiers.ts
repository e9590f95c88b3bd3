import { createHash } from 'node:crypto';

/**
 * Identifiers derived from merchant and idempotency key (R11): the same request gets the same id in every process, so a
 * repeated start finds the same Workflow.
 */

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** `rfd_` and 32 hex digits; a key counts per order (CONTRACT §1). */
export function deriveRefundId(merchantId: string, orderId: string, idempotencyKey: string): string {
  return `rfd_${digest(['refund', merchantId, orderId, idempotencyKey]).slice(0, 32)}`;
}

/** A GUID (RFC 9562, version 8). */
export function derivePayoutOrderId(merchantId: string, idempotencyKey: string): string {
  const hex = digest(['payout_order', merchantId, idempotencyKey]);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/** SHA-256 (hex) of a JSON value; key order and white space do not matter (R8). */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
