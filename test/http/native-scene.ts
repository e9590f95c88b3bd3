import type { PayoutOrderEvent } from '../../src/domain/payout-order.ts';
import type { PayoutOrderView } from '../../src/client/reintegro-client.ts';
import { movePayoutOrder } from '../../src/store/payout-orders/settle.ts';
import { playPayoutOrder } from './played-workflows.ts';
import { payoutBody } from './start-api.ts';
import type { TestApi } from './start-api.ts';

/** Facts and decisions as they follow each other. */
export type Course = readonly PayoutOrderEvent[] | 'refused' | 'verifying';

/** Puts a payout order of the first merchant on record that took this course; afterwards no Workflow expects to be asked. */
export async function recordedPayoutOrder(api: TestApi, course: Course = ['reference_issued'], changes: Record<string, unknown> = {}): Promise<string> {
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order, course) });
  const answer = await api.call('POST', '/payout_orders', payoutBody(changes));
  api.client.reset();
  return String(answer.body.id);
}

/** Moves a payout order as its Workflow would once the provider said so, and answers as it would. */
export async function follow(api: TestApi, payoutOrderId: string, ...events: readonly PayoutOrderEvent[]): Promise<PayoutOrderView> {
  const status = await movePayoutOrder(api.db, { actor: 'a', workflowId: 'w', runId: 'r' }, { merchantId: 'm_one', payoutOrderId }, () => events);
  return { payoutOrderId, status, statusDetail: status, fingerprint: '', needsAttention: false };
}

/** The open cases of a payout order, by kind. */
export async function openCases(api: TestApi, payoutOrderId: string): Promise<readonly string[]> {
  const rows = await api.db.selectFrom('cases').select('kind').where('merchant_id', '=', 'm_one').where('payout_order_id', '=', payoutOrderId).where('status', '=', 'open').execute();
  return rows.map(({ kind }) => kind);
}
