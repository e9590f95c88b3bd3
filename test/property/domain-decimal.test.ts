import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDecimal, JsonNumber, parseDecimal, parseExactJson, toJsonDecimal } from '../../src/domain/decimal.ts';

const amount = fc.oneof(fc.maxSafeNat(), fc.nat(1_000_000), fc.integer({ min: Number.MAX_SAFE_INTEGER - 1000, max: Number.MAX_SAFE_INTEGER }));

describe('decimal amounts', () => {
  it('should come back from the wire as they went, up to 2^53 - 1 minor units (M1)', () => {
    fc.assert(fc.property(amount, (amountMinor) => {
      const text = JSON.stringify({ amount: toJsonDecimal(amountMinor) });
      expect(text).toMatch(/^\{"amount":(0|[1-9]\d*)\.\d\d\}$/);
      const { amount: read } = parseExactJson(text) as { amount: JsonNumber };
      expect(read).toBeInstanceOf(JsonNumber);
      expect(parseDecimal(read.source)).toBe(amountMinor);
    }), { numRuns: 5000, examples: [[0], [1], [99], [100], [Number.MAX_SAFE_INTEGER]] });
  });

  it('should keep the order and the sums of minor units, which binary fractions do not (M1)', () => {
    fc.assert(fc.property(amount, amount, (left, right) => {
      fc.pre(left + right <= Number.MAX_SAFE_INTEGER);
      const [a, b] = [parseDecimal(formatDecimal(left)), parseDecimal(formatDecimal(right))];
      expect((a ?? Number.NaN) + (b ?? Number.NaN)).toBe(left + right);
    }));
    // What a float makes of a small amount: another one.
    expect(Number('0.29') * 100).not.toBe(29);
    expect(parseDecimal('0.29')).toBe(29);
  });

  it('should read one and no place like two (M1)', () => {
    fc.assert(fc.property(fc.nat(10 ** 12), (whole) => {
      expect(parseDecimal(`${whole}`)).toBe(whole * 100);
      expect(parseDecimal(`${whole}.5`)).toBe(whole * 100 + 50);
    }));
  });

  it('should read nothing that is no amount of at most two places (M1)', () => {
    const odd = ['', '.5', '5.', '1.005', '1.000', '-1.00', '-0', '+1', '01.00', '1e2', '1E2', '1.0e1', ' 1', '1 ', '1,00', 'NaN', 'Infinity', '0x10', '١', '90071992547409.92', '9007199254740992', '99999999999999999999.99'];
    expect(odd.map(parseDecimal)).toEqual(odd.map(() => null));
    fc.assert(fc.property(fc.string(), (text) => {
      const read = parseDecimal(text);
      if (read !== null) expect(Number(formatDecimal(read))).toBe(Number(text));
    }));
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])('should not write %s, which is no amount (M1)', (value) => {
    expect(() => formatDecimal(value)).toThrow(RangeError);
  });
});
