/** Digits in a row, with the usual separators, that are not part of a longer word such as a hexadecimal id. */
const DIGIT_RUN = /(?<![0-9A-Za-z_])\d(?:[ .-]?\d){12,18}(?![0-9A-Za-z_])/g;

/** The lengths and first digits of payment cards (ISO/IEC 7812): keeps timestamps in milliseconds and phone numbers out. */
const CARD_SHAPE = /^(?:4\d{12}|[2-6]\d{13,18})$/;

/** GUIDs are ids of ours and of others; now and then their groups are all digits. */
const GUID = /(?<![0-9A-Za-z-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z-])/gi;

/** Whether a text holds what looks like a card number: 13 to 19 digits of a payment card's shape that pass the Luhn check. */
export function holdsCardNumber(text: string): boolean {
  return (text.replace(GUID, ' ').match(DIGIT_RUN) ?? []).some((run) => {
    const digits = run.replace(/\D/g, '');
    return CARD_SHAPE.test(digits) && passesLuhn(digits);
  });
}

/**
 * Finds a card number in the names and values of a JSON value (RELIABILITY, Security), at any depth.
 * Answers the top-level field it is under, or `null` when there is none.
 */
export function findCardNumber(body: Readonly<Record<string, unknown>>): string | null {
  return Object.keys(body).find((field) => holdsCardNumber(field) || valueHoldsCardNumber(body[field])) ?? null;
}

function valueHoldsCardNumber(value: unknown): boolean {
  if (typeof value === 'string') return holdsCardNumber(value);
  if (typeof value === 'number') return holdsCardNumber(String(value));
  if (Array.isArray(value)) return value.some(valueHoldsCardNumber);
  if (typeof value === 'object' && value !== null) return findCardNumber(value as Record<string, unknown>) !== null;
  return false;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits.at(-1 - index));
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
