import { describe, expect, it } from 'vitest';
import type { ContractScene, Movement } from '../contract-scene.ts';
import { CANARIES } from './bad-input.ts';

/** What else the product was told or works with, and has no business to print. */
const OTHER_SECRETS = ['Nicolás Cedrón', 'Ezequiel Haydossian', '5522997233', 'key_demo', 'key_sandbox_demo', Buffer.from('key_demo:').toString('base64')];

/** What must hold of the books and of the output when all other suites have run. */
export function aftermathSuite(scene: () => ContractScene): void {
  describe('after all of the above', () => {
    it("should find the same money in the sandbox's journal and in our books, charge by charge (I1, I2)", async () => {
      const journal = await scene().journal();
      const chargeIds = new Set(journal.flatMap((movement) => (movement.charge_id === null ? [] : [movement.charge_id])));
      expect(chargeIds.size).toBeGreaterThan(20);
      // Of both providers.
      expect(new Set(journal.map(({ currency }) => currency))).toEqual(new Set(['MXN', 'ARS']));
      const amounts = (movements: readonly Movement[]): readonly number[] => movements.map((movement) => movement.amount).toSorted((left, right) => left - right);
      for (const chargeId of chargeIds) {
        const query = `?charge_id=${chargeId}`;
        const books = [...(await scene().books(query)), ...(await scene().books(query, 'key_demo_two'))];
        expect(amounts(books), chargeId).toEqual(amounts(journal.filter((movement) => movement.charge_id === chargeId)));
      }
    });

    it("should find no card number, person or key in the product's output (I7)", async () => {
      const paid = await scene().call('POST', '/orders', {
        body: {
          currency: 'MXN', customer_info: { name: CANARIES.name, email: CANARIES.email, phone: CANARIES.phone }, line_items: [{ name: 'Box of pencils', unit_price: 700, quantity: 1 }],
          charges: [{ amount: 700, payment_method: { type: 'card', number: CANARIES.card, cvc: '123', exp_month: '02', exp_year: '30', name: CANARIES.name } }],
        },
      });
      expect((await scene().refund(paid.body.id)).status).toBe(200);
      const output = outputOf(scene()).join('\n');
      expect(output).toContain('request served');
      for (const secret of [...Object.values(CANARIES), ...OTHER_SECRETS]) expect(output).not.toContain(secret);
    });

    it('should find no failure of its own: nothing above was answered with a 5xx', () => {
      expect(outputOf(scene()).filter((line) => line.includes('request failed') || /"status":5\d\d/.test(line))).toEqual([]);
    });
  });
}

function outputOf({ product: { apis: [api] } }: ContractScene): readonly string[] {
  return api?.program.lines() ?? [];
}
