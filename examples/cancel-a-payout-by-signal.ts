/**
 * A backend creates a cash payout order and calls it off with a plain signal, then learns what became of it.
 *
 *   node examples/cancel-a-payout-by-signal.ts [Temporal address]
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
// In your own backend: import { createReintegroClient } from 'reintegro/client';
import { createReintegroClient } from '../src/client/reintegro-client.ts';

const [address = '127.0.0.1:7233'] = process.argv.slice(2);
const connection = await Connection.connect({ address });
const reintegro = createReintegroClient({ client: new Client({ connection }) });

const { payoutOrderId } = await reintegro.createPayoutOrder({
  merchantId: 'merchant_demo', amountMinor: 3000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_23874283647',
  reason: 'Referencia de devolución', expiresAt: new Date(Date.now() + 30 * 24 * 3600 * 1000), idempotencyKey: randomUUID(), requestedBy: 'billing-service',
});
console.log(`payout order ${payoutOrderId}: ${(await reintegro.getPayoutOrder('merchant_demo', payoutOrderId)).status}`);

// Fire and forget: the signal is durable, the provider has the last word, the Workflow ends with it.
await reintegro.signalCancelPayoutOrder('merchant_demo', payoutOrderId, 'billing-service');
const ended = await reintegro.waitForPayoutOrder('merchant_demo', payoutOrderId);
console.log(`payout order ${payoutOrderId}: ${ended.status}`);
await connection.close();
