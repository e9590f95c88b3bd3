/**
 * Money is a safe integer of minor units (centavos, cents) with an ISO-4217 currency (PRODUCT M1).
 * Nothing here, or anywhere else in the product, computes with fractions.
 */
export interface Money {
  /** Minor units, a safe integer. */
  readonly amountMinor: number;
  /** ISO-4217 alphabetic code, upper case. */
  readonly currency: string;
}

/** Digits after the decimal point, where they are not two (ISO-4217). */
const EXPONENTS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
};

/** Whether a value is an amount that can be moved: a safe integer of at least one minor unit. */
export function isMovableAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

/** Whether a value has the form of an ISO-4217 code (three upper-case letters). */
export function isCurrencyCode(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z]{3}$/.test(value);
}

/**
 * Adds amounts of one currency, in minor units.
 * @throws RangeError when a term or the sum is not a safe integer: that is a defect, never an input error.
 */
export function sumMinor(amounts: readonly number[]): number {
  let total = 0;
  for (const amount of amounts) {
    if (!Number.isSafeInteger(amount)) throw new RangeError(`not an amount in minor units: ${amount}`);
    total += amount;
    if (!Number.isSafeInteger(total)) throw new RangeError('sum of amounts leaves the safe integer range');
  }
  return total;
}

/** Digits after the decimal point of a currency; two where the currency is not listed. */
export function currencyExponent(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/** Renders an amount for people, for example `$500.00 MXN`. Locale-independent, so it is safe in Workflow code. */
export function formatMoney({ amountMinor, currency }: Money): string {
  const exponent = currencyExponent(currency);
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const fraction = exponent === 0 ? '' : `.${digits.slice(digits.length - exponent)}`;
  return `${amountMinor < 0 ? '-' : ''}$${whole}${fraction} ${currency}`;
}
