import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCardNumber, holdsCardNumber } from '../../src/http/card-number.ts';
import { inspectJson } from '../../src/http/inspect-json.ts';

describe('inspectJson', () => {
  it.each([
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', null], ['{"a":"1.0 {\\"a\\":1,\\"a\\":2}"}', null], ['{"m":{"rate":1.5,"big":1e3}}', null], ['{"m":[1.5]}', null], ['{"a":-9007199254740991}', null],
    ['{"a":1.0}', 'inexact_number'], ['{"a":1E2}', 'inexact_number'], ['{"a":9007199254740992}', 'inexact_number'], ['{"m":{"n":9007199254740993}}', 'inexact_number'], ['{"m":{"n":1e400}}', 'inexact_number'],
    ['{"m":{"x":1,"\\u0078":2}}', 'duplicate'], ['{"m":[{"x":1,"x":1}]}', 'duplicate'], ['{"":1,"":2}', 'duplicate'],
    ['{"a":"\\u0000"}', 'unstorable_text'], ['{"a":"\\ud800"}', 'unstorable_text'], ['{"m":{"\\ud800":1}}', 'unstorable_text'], ['{"m":{"__proto__":1}}', 'unstorable_text'],
    [`{"a":${'['.repeat(20)}${']'.repeat(20)}}`, 'too_deep'],
  ])('should judge %s as %s', (text, kind) => {
    expect(inspectJson(text)?.kind ?? null).toBe(kind);
  });

  it('should find no flaw in what JSON.stringify writes of plain data with safe numbers (M1)', () => {
    const key = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__' && !text.includes('\0'));
    const value = fc.oneof(fc.maxSafeInteger(), fc.boolean(), fc.constant(null), key);
    fc.assert(fc.property(fc.dictionary(key, fc.oneof(value, fc.array(value), fc.dictionary(key, value))), (body) => {
      expect(inspectJson(JSON.stringify(body))).toBeNull();
    }));
  });

  it('should find a doubled field wherever it stands', () => {
    const key = fc.string({ unit: 'grapheme-ascii', minLength: 1 }).filter((text) => text !== '__proto__');
    fc.assert(fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat({ max: 5 }), (keys, pick, depth) => {
      const twice = [...keys, keys[pick % keys.length] ?? ''].map((name) => `${JSON.stringify(name)}:1`).join(' , ');
      const text = `${'{"o":'.repeat(depth)}{ ${twice} }${'}'.repeat(depth)}`;
      expect(inspectJson(text)?.kind).toBe('duplicate');
    }));
  });
});

describe('holdsCardNumber', () => {
  it.each(['4242424242424242', '5555 5555 5555 4444', '3782-822463-10005', 'pan:6011111111111117;', '4222222222222', '36227206271667', '6304000000000000'])('should see one in "%s"', (text) => {
    expect(holdsCardNumber(text)).toBe(true);
  });

  it.each(['4242424242424241', '1700000000007', '424242424242', '64377cfe77a374b7a7580b01', 'a4242424242424242', '42424242424242424242', '4468474a-48ed-4732-9f8a-666238eaa0ac', 'ord_2tgvDBAmxTMqSftQE', ''])('should see none in "%s"', (text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });

  it('should find any number with a right check digit at any depth, and name the field it is under', () => {
    const digits = fc.array(fc.nat({ max: 9 }), { minLength: 13, maxLength: 17 });
    fc.assert(fc.property(fc.constantFrom(4, 5, 6), digits, fc.nat({ max: 4 }), (first, rest, depth) => {
      const body = [first, ...rest];
      const sum = body.toReversed().reduce((total, digit, index) => total + (index % 2 === 0 ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit), 0);
      const number = `${body.join('')}${(10 - (sum % 10)) % 10}`;
      let value: unknown = `x ${number}`;
      for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? { deep: value } : [value];
      expect(findCardNumber({ fine: 'a', metadata: value })).toBe('metadata');
    }));
  });
});
