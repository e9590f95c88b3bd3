import { randomUUID } from 'node:crypto';
import { createReintegroClient } from '../src/client/reintegro-client.ts';
import { payoutOrderWorkflowId, refundWorkflowId } from '../workflows/ids.ts';
import type { BareSide } from './bare-side.ts';
import type { BenchStack } from './bench-stack.ts';
import type { Operation } from './closed-loop.ts';
import { AMOUNT_MINOR } from './merchant-backend.ts';
import type { OrderSupply } from './order-supply.ts';

/** The demo merchant, whose key the merchant's backend has. */
export const MERCHANT = 'merchant_demo';

/** What is measured; the first one is what the others are compared with. */
export const UNITS = ['bare', 'bare-update', 'bare-provider', 'refund-http', 'refund-client', 'payout-http'] as const;

/** One of them. */
export type Unit = (typeof UNITS)[number];

/** As the report calls them. */
export const UNIT_NAMES: Readonly<Record<Unit, string>> = {
  'bare': 'bare Workflow, one Activity',
  'bare-update': 'the same, by update-with-start',
  'bare-provider': 'the same as bare, one HTTP call',
  'refund-http': 'refund, HTTP',
  'refund-client': 'refund, typed client',
  'payout-http': 'payout order and its cancel, HTTP',
};

/** Whether it uses up a paid order. */
export function needsOrder(unit: Unit): boolean {
  return unit === 'refund-http' || unit === 'refund-client';
}

/** The operations of the product itself, on one stack. */
export function createProductOperations(stack: BenchStack, orders: OrderSupply): Readonly<Record<'refund-http' | 'refund-client' | 'payout-http', Operation>> {
  const { merchant } = stack;
  const reintegro = createReintegroClient({ client: stack.temporal.client });
  return {
    async 'refund-http'() {
      const orderId = orders.take();
      return orderId === null ? null : refundWorkflowId(MERCHANT, await merchant.refund(orderId, AMOUNT_MINOR));
    },
    async 'refund-client'() {
      const orderId = orders.take();
      if (orderId === null) return null;
      const answer = await reintegro.requestRefund({ merchantId: MERCHANT, orderId, amountMinor: AMOUNT_MINOR, reason: 'requested_by_client', idempotencyKey: randomUUID(), requestedBy: 'bench' });
      if (answer.kind !== 'answered' || answer.view.status !== 'refunded') throw new Error(`a refund is ${answer.kind === 'answered' ? answer.view.status : answer.kind}`);
      return refundWorkflowId(MERCHANT, answer.refundId);
    },
    async 'payout-http'() {
      const id = await merchant.createPayoutOrder();
      await merchant.cancelPayoutOrder(id);
      return payoutOrderWorkflowId(MERCHANT, id);
    },
  };
}

/** All operations. */
export function createOperations(stack: BenchStack, bare: BareSide, orders: OrderSupply): Readonly<Record<Unit, Operation>> {
  return {
    'bare': () => bare.execute('bareWorkflow'),
    'bare-update': () => bare.executeByUpdate(),
    'bare-provider': () => bare.execute('bareProviderWorkflow'),
    ...createProductOperations(stack, orders),
  };
}
