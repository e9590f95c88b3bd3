import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencyExponent, formatMoney, isMovableAmount, sumMinor } from '../../src/domain/money.ts';

const amount = fc.maxSafeInteger();
const currency = fc.constantFrom('MXN', 'USD', 'JPY', 'CLP', 'KWD', 'CLF');

/** Reads the text back with integers alone. */
function parseFormatted(text: string): { readonly amountMinor: bigint; readonly fractionDigits: number } {
  const match = /^(-?)\$([\d,]+)(?:\.(\d+))? [A-Z]{3}$/.exec(text);
  if (match === null) throw new Error(`unreadable: ${text}`);
  const [, sign = '', whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole.replaceAll(',', '') + fraction);
  return { amountMinor: sign === '-' ? -magnitude : magnitude, fractionDigits: fraction.length };
}

describe('formatMoney', () => {
  it('should be exact for every safe integer of every exponent (M1)', () => {
    fc.assert(fc.property(amount, currency, (amountMinor, code) => {
      const read = parseFormatted(formatMoney({ amountMinor, currency: code }));
      expect(read.amountMinor).toBe(BigInt(amountMinor));
      expect(read.fractionDigits).toBe(currencyExponent(code));
    }), { examples: [[Number.MAX_SAFE_INTEGER, 'MXN'], [Number.MIN_SAFE_INTEGER, 'CLF'], [0, 'JPY']] });
  });

  it('should group the whole part by threes and never lead with a zero (A6)', () => {
    fc.assert(fc.property(amount, currency, (amountMinor, code) => {
      expect(formatMoney({ amountMinor, currency: code })).toMatch(/^-?\$(0|[1-9]\d{0,2}(,\d{3})*)(\.\d+)? [A-Z]{3}$/);
    }));
  });
});

describe('sumMinor', () => {
  it('should be the exact sum, or a RangeError where a safe integer cannot hold it (M1)', () => {
    fc.assert(fc.property(fc.array(fc.oneof(amount, fc.integer({ min: 1, max: 1_000_000 }))), (amounts) => {
      let exact = 0n;
      let safe = true;
      for (const term of amounts) {
        exact += BigInt(term);
        safe &&= exact >= BigInt(Number.MIN_SAFE_INTEGER) && exact <= BigInt(Number.MAX_SAFE_INTEGER);
      }
      if (safe) expect(BigInt(sumMinor(amounts))).toBe(exact);
      else expect(() => sumMinor(amounts)).toThrow(RangeError);
    }));
  });
});

describe('isMovableAmount', () => {
  it('should accept nothing but safe integers of at least one minor unit, whatever it is given (M1)', () => {
    fc.assert(fc.property(fc.anything(), (value) => {
      const movable = typeof value === 'number' && value >= 1 && value <= Number.MAX_SAFE_INTEGER && value % 1 === 0;
      expect(isMovableAmount(value)).toBe(movable);
    }));
    fc.assert(fc.property(fc.double(), (value) => {
      expect(isMovableAmount(value)).toBe(value >= 1 && value <= Number.MAX_SAFE_INTEGER && Math.trunc(value) === value);
    }));
  });
});
