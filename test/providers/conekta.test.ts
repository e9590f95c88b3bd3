import { createConektaAdapter } from '../../src/providers/conekta/adapter.ts';
import { cardOrder } from '../sandbox/start-sandbox.ts';
import { describeProvider } from './provider-contract.ts';
import { startSandboxImitation } from './sandbox-imitation.ts';

describeProvider({
  name: 'conekta',
  idempotency: 'balance',
  hasPayoutOrders: true,
  credentials: { merchant: 'key_canarySecret', other: 'key_somebody_else', wrong: 'wrongCanarySecret' },
  start: () => startSandboxImitation(async (sandbox, amountMinor, credential) => {
    const { body } = await sandbox.call('POST', '/orders', cardOrder(amountMinor), { authorization: `Bearer ${credential}` });
    return { orderId: body.id as string, chargeId: body.charges.data[0].id as string, amountMinor, currency: 'MXN' };
  }),
  connect: (baseUrl, timeoutMs) => createConektaAdapter({ baseUrl, timeoutMs }),
  strangers: [
    { title: 'a charge', rewrite: (body) => body.replace(/"status":"(?:paid|partially_refunded)"/g, '"status":"perhaps"') },
    { title: 'a refund', rewrite: (body) => body.replaceAll('"object":"refund"', '"object":"refund","status":"perhaps"') },
    { title: 'an object', rewrite: (body) => body.replaceAll('"object":"order"', '"object":"perhaps"') },
  ],
  impostors: [
    { title: 'another order', rewrite: (body) => body.replace(/"id":"ord_\w+"/g, '"id":"ord_other"') },
    { title: 'another charge', rewrite: (body) => body.replace(/("charges":.*?"id":)"\w+"/s, '$1"other"') },
    { title: 'another currency', rewrite: (body) => body.replaceAll('"currency":"MXN"', '"currency":"USD"') },
  ],
});
