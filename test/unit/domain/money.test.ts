import { describe, expect, it } from 'vitest';
import { currencyExponent, formatMoney, isCurrencyCode, isMovableAmount, sumMinor } from '../../../src/domain/money.ts';

describe('isMovableAmount', () => {
  it.each([1, 30_000, Number.MAX_SAFE_INTEGER])('should accept %s, an integer of at least one minor unit (M1)', (amount) => {
    expect(isMovableAmount(amount)).toBe(true);
  });

  it.each([0, -0, -1, 0.5, 100.01, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Number.POSITIVE_INFINITY, '100', 100n, null, undefined, [100], {}])(
    'should refuse %s (M1)',
    (amount) => {
      expect(isMovableAmount(amount)).toBe(false);
    },
  );
});

describe('isCurrencyCode', () => {
  it.each(['MXN', 'USD', 'ARS'])('should accept %s (M1)', (code) => {
    expect(isCurrencyCode(code)).toBe(true);
  });

  it.each(['mxn', 'MX', 'MXNN', 'MX1', ' MXN', 'MXN\n', '', 484, null, undefined])('should refuse %j (M1)', (code) => {
    expect(isCurrencyCode(code)).toBe(false);
  });
});

describe('sumMinor', () => {
  it('should add to the minor unit, and to nothing when there is nothing (M1)', () => {
    expect(sumMinor([])).toBe(0);
    expect(sumMinor([10, 20, -5])).toBe(25);
    expect(sumMinor([Number.MAX_SAFE_INTEGER - 1, 1])).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([[[0.1, 0.2]], [[Number.NaN]], [[Number.MAX_SAFE_INTEGER, 1]], [[2 ** 53]], [[Number.MIN_SAFE_INTEGER, -1]]])(
    'should call %j a defect rather than answer with an inexact sum (M1)',
    (amounts) => {
      expect(() => sumMinor(amounts)).toThrow(RangeError);
    },
  );

  it('should not let a later negative term hide a sum that left the safe range (M1)', () => {
    expect(() => sumMinor([Number.MAX_SAFE_INTEGER, 2, -2])).toThrow(RangeError);
  });
});

describe('currencyExponent', () => {
  it.each([['MXN', 2], ['USD', 2], ['JPY', 0], ['CLP', 0], ['UYI', 0], ['KWD', 3], ['TND', 3], ['CLF', 4], ['UYW', 4], ['ZZZ', 2]] as const)(
    'should give %s the exponent %i of ISO 4217 (M1)',
    (currency, exponent) => {
      expect(currencyExponent(currency)).toBe(exponent);
    },
  );
});

describe('formatMoney', () => {
  it.each([
    [50_000, 'MXN', '$500.00 MXN'],
    [0, 'MXN', '$0.00 MXN'],
    [1, 'MXN', '$0.01 MXN'],
    [99, 'MXN', '$0.99 MXN'],
    [100, 'MXN', '$1.00 MXN'],
    [99_999, 'MXN', '$999.99 MXN'],
    [100_000, 'MXN', '$1,000.00 MXN'],
    [123_456_789, 'MXN', '$1,234,567.89 MXN'],
    [-30_000, 'MXN', '-$300.00 MXN'],
    [-1, 'MXN', '-$0.01 MXN'],
    [1_234, 'JPY', '$1,234 JPY'],
    [1, 'KWD', '$0.001 KWD'],
    [1_234_567, 'KWD', '$1,234.567 KWD'],
    [Number.MAX_SAFE_INTEGER, 'MXN', '$90,071,992,547,409.91 MXN'],
    [Number.MIN_SAFE_INTEGER, 'MXN', '-$90,071,992,547,409.91 MXN'],
    [Number.MAX_SAFE_INTEGER, 'JPY', '$9,007,199,254,740,991 JPY'],
  ] as const)('should render %i of %s as %s (A6)', (amountMinor, currency, text) => {
    expect(formatMoney({ amountMinor, currency })).toBe(text);
  });
});
