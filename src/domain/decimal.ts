/**
 * Amounts as decimal texts with two places (PRODUCT M1: the gateway dialect). Text and minor units are turned into each other digit by
 * digit; no binary fraction is ever in between.
 */

/** Digits before the point without leading zeros, then none, one or two after it. */
const DECIMAL = /^(0|[1-9]\d*)(?:\.(\d{1,2}))?$/;

/** Writes an amount with exactly two places, for example `100.00`. @throws RangeError when it is not a safe integer of at least zero */
export function formatDecimal(amountMinor: number): string {
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) throw new RangeError(`not an amount in minor units: ${amountMinor}`);
  const digits = String(amountMinor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Reads an amount of at most two places in minor units; `null` for every other text, and for one beyond the safe integers. */
export function parseDecimal(text: string): number | null {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || whole.length > 14) return null;
  const amountMinor = Number(`${whole}${fraction.padEnd(2, '0')}`);
  return Number.isSafeInteger(amountMinor) ? amountMinor : null;
}

/** `JSON` as ECMAScript 2026 has it, as far as it is used here: a number keeps its text. */
interface ExactJson {
  parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): object;
}

const EXACT_JSON = JSON as unknown as ExactJson;

/** A number of a JSON text, as it was written. */
export class JsonNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** Parses a JSON text with every number as {@link JsonNumber}. @throws SyntaxError when it is not JSON */
export function parseExactJson(text: string): unknown {
  return EXACT_JSON.parse(text, (_key, value, { source }) => (typeof value === 'number' ? new JsonNumber(source ?? '') : value));
}

/** An amount in minor units as `JSON.stringify` is to write it: a number with exactly two places. @throws RangeError like {@link formatDecimal} */
export function toJsonDecimal(amountMinor: number): object {
  return EXACT_JSON.rawJSON(formatDecimal(amountMinor));
}
