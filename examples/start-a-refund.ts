/**
 * A backend that speaks Temporal gives money back: no HTTP, one connection, the outcome typed.
 *
 *   node examples/start-a-refund.ts <order id> [amount in minor units] [Temporal address]
 */
import { Client, Connection } from '@temporalio/client';
// In your own backend: import { createReintegroClient } from 'reintegro/client';
import { createReintegroClient } from '../src/client/reintegro-client.ts';

const [orderId, amount, address = '127.0.0.1:7233'] = process.argv.slice(2);
if (orderId === undefined) throw new Error('usage: node examples/start-a-refund.ts <order id> [amount in minor units] [Temporal address]');

const connection = await Connection.connect({ address });
const reintegro = createReintegroClient({ client: new Client({ connection }) });

// The key makes the request repeatable: a second run with the same key is the same refund, never a second one.
const answer = await reintegro.requestRefund({
  merchantId: 'merchant_demo', orderId, idempotencyKey: `refund-of-${orderId}`, requestedBy: 'billing-service', reason: 'requested_by_client',
  ...(amount === undefined ? {} : { amountMinor: Number(amount) }),
});
console.log(`refund ${answer.refundId}: ${answer.kind}`);

// Whatever the first answer was, the Workflow goes on: wait for the end, or come back later.
const refund = await reintegro.waitForRefund('merchant_demo', answer.refundId);
console.log(`${refund.status} (${refund.statusDetail}), ${refund.amountMinor ?? 0} ${refund.currency ?? ''}`);
await connection.close();
