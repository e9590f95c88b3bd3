import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startNodeProgram } from '../../support/processes.ts';
import type { ContractScene } from '../contract-scene.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');

/** The shipped examples, run as a newcomer would. */
export function shippedExamplesSuite(scene: () => ContractScene): void {
  describe('examples', () => {
    it('should refund and pay out with the official SDK (use-the-conekta-sdk.ts)', async () => {
      const lines = await run('use-the-conekta-sdk.ts', [scene().product.apiUrl]);
      expect(lines).toEqual([
        expect.stringMatching(/^order ord_\w+: paid$/), expect.stringMatching(/^order ord_\w+: partially_refunded, 10000 refunded$/),
        expect.stringMatching(/^payout order [0-9a-f-]{36}: pending$/), expect.stringMatching(/^payout order [0-9a-f-]{36}: cancelled$/),
      ]);
    });

    it('should refund by Workflow, and be the same refund when it is run again (start-a-refund.ts, R8)', async () => {
      const order = await scene().createOrder([30_000]);
      const refund = (): Promise<readonly string[]> => run('start-a-refund.ts', [order.id, '12500', scene().product.temporal.address]);
      const first = await refund();
      expect(first).toEqual([expect.stringMatching(/^refund [\w-]+: answered$/), expect.stringMatching(/^refunded \([\w.]+\), 12500 MXN$/)]);
      expect((await refund())[0]?.split(':')[0]).toBe(first[0]?.split(':')[0]);
      await scene().expectMoved(order.charges.data[0].id, [12_500]);
    });

    it('should cancel a payout order by a plain signal (cancel-a-payout-by-signal.ts, P4)', async () => {
      const lines = await run('cancel-a-payout-by-signal.ts', [scene().product.temporal.address]);
      expect(lines).toEqual([expect.stringMatching(/^payout order [0-9a-f-]{36}: pending$/), expect.stringMatching(/^payout order [0-9a-f-]{36}: cancelled$/)]);
      const id = lines[0]?.split(' ')[2]?.replace(':', '') ?? '';
      await scene().atTill(id, 'withdrawal', 409);
    });
  });
}

async function run(example: string, args: readonly string[]): Promise<readonly string[]> {
  const program = await startNodeProgram(join(EXAMPLES, example), args);
  await program.outputEnded;
  expect(await program.exited, program.lines().join('\n')).toEqual({ code: 0, signal: null });
  return program.lines();
}
