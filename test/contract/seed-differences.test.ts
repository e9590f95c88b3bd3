import { describe, expect, it } from 'vitest';
import { seed } from './contract-fixtures.ts';
import { seedDifferences } from './seed-differences.ts';

/** Any answer of the tests' own; its shape is left to the test. */
// oxlint-disable-next-line typescript/no-explicit-any -- a copy of a seed, to be spoilt field by field
type Copy = any;

const REFUNDED = 'order.refund.response.json';

/** The seed as if it had been made just now. */
function freshOrder(): Copy {
  const text = JSON.stringify(seed(REFUNDED)).replace(/("\w+_at":)\d+/g, `$1${Math.floor(Date.now() / 1000)}`);
  return JSON.parse(text) as Copy;
}

function differencesWhen(spoil: (order: Copy) => void): readonly string[] {
  const order = freshOrder();
  spoil(order);
  return seedDifferences(order, seed(REFUNDED));
}

describe('seedDifferences', () => {
  it('should find none between a seed and an answer that differs in ids and times alone', () => {
    expect(differencesWhen((order) => {
      order.id = 'ord_000000000000000Az';
      order.charges.data[0].id = 'f'.repeat(24);
    })).toEqual([]);
  });

  it.each<[string, (order: Copy) => void, string]>([
    ['a missing field', (order) => delete order.is_refundable, 'is_refundable: missing'],
    ['a field the seed has not', (order) => { order.secret = 1; }, 'secret: not in the seed'],
    ['null instead of a value', (order) => { order.amount_refunded = null; }, 'amount_refunded: null where the seed has 50000'],
    ['a value instead of null', (order) => { order.channel = {}; }, 'channel: {} where the seed has null'],
    ['a number as a text', (order) => { order.amount = '50000'; }, 'amount: "50000" where the seed has 50000'],
    ['a positive refund', (order) => { order.charges.data[1].refunds.data[0].amount = 20000; }, 'charges.data[].refunds.data[].amount: 20000 where the seed has -20000'],
    ['a charge too few', (order) => order.charges.data.pop(), 'charges.data: '],
    ['another kind of id', (order) => { order.id = '64377d5777a374b7a7580b17'; }, 'id: "64377d5777a374b7a7580b17" where'],
    ['milliseconds', (order) => { order.updated_at *= 1000; }, 'updated_at: '],
    ['a time as a text', (order) => { order.created_at = '2026-01-01'; }, 'created_at: "2026-01-01" where'],
  ])('should find %s', (_, spoil, difference) => {
    expect(differencesWhen(spoil)).toEqual([expect.stringContaining(difference)]);
  });

  it('should allow the extras it was told of, at their place alone', () => {
    const answer = { a: [{ b: 1, extra: 2 }], extra: 3 };
    expect(seedDifferences(answer, { a: [{ b: 1 }] }, ['a[].extra'])).toEqual(['extra: not in the seed']);
  });
});
