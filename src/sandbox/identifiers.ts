import { randomBytes, randomInt, randomUUID } from 'node:crypto';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function base58(length: number): string {
  return Array.from({ length }, () => BASE58.charAt(randomInt(BASE58.length))).join('');
}

/** Makes an id of 17 base58 characters behind a prefix, as `ord_…`, `line_item_…` and `payout_…` have (CONTRACT §4). */
export function newPrefixedId(prefix: 'ord' | 'line_item' | 'payout'): string {
  return `${prefix}_2${base58(16)}`;
}

/** Makes an id of 24 hex digits that begins with the time, as charges, refunds, events and `log_id` have (CONTRACT §4). */
export function newHexId(nowMs: number): string {
  return Math.floor(nowMs / 1000).toString(16).padStart(8, '0') + randomBytes(8).toString('hex');
}

/** Makes the id of a payment at the gateway. */
export function newPaymentId(): string {
  return randomUUID();
}

/** Makes the GUID of a payout order (PRODUCT P7). */
export function newPayoutOrderId(): string {
  return randomUUID();
}

/** Makes the code by which a bank approved a charge: four to six digits, as a string. */
export function newAuthCode(): string {
  return String(randomInt(1000, 1_000_000));
}

/** Makes a number of twelve digits by which a gateway or a bank knows what it did; too few to be taken for a card number. */
export function newReceiptNumber(): string {
  return String(randomInt(100_000_000_000, 281_000_000_000));
}

/** Makes a reference that a person shows at a till: twelve digits, too few to be taken for a card number. */
export function newCashReference(): string {
  return `9${String(randomInt(0, 100_000_000_000)).padStart(11, '0')}`;
}
