import { formatDecimal } from '../../src/domain/decimal.ts';
import { createGatewayAdapter } from '../../src/providers/gateway/adapter.ts';
import { describeProvider } from './provider-contract.ts';
import { startSandboxImitation } from './sandbox-imitation.ts';

describeProvider({
  name: 'gateway',
  idempotency: 'reference',
  hasPayoutOrders: false,
  credentials: { merchant: 'key_canarySecret', other: 'key_somebody_else', wrong: 'wrongCanarySecret' },
  start: () => startSandboxImitation(async (sandbox, amountMinor, credential) => {
    const amount = formatDecimal(amountMinor);
    const { body } = await sandbox.call('POST', '/pagos', `{"amount":${amount},"currency_id":"ARS"}`, { authorization: `Bearer ${credential}` });
    const id = body.id as string;
    return { orderId: id, chargeId: id, amountMinor, currency: 'ARS' };
  }),
  connect: (baseUrl, timeoutMs) => createGatewayAdapter({ baseUrl, timeoutMs }),
  strangers: [
    { title: 'a payment', rewrite: (body) => body.replace(/"object":"payment","status":"\w+"/, '"object":"payment","status":"perhaps"') },
    { title: 'a refund', rewrite: (body) => body.replace(/("refunds":\[\{"id":"[^"]+","status":)"\w+"/, '$1"perhaps"') },
    { title: 'the type of a refund', rewrite: (body) => body.replace(/("refunds":.*"type":)"(?:manual|online|by_media_payment)"/, '$1"perhaps"') },
    { title: 'a fee', rewrite: (body) => body.replace(/("fee_details":\[\{"type":)"\w+"/, '$1"perhaps"') },
    { title: 'who pays a fee', rewrite: (body) => body.replace(/"fee_payer":"\w+"/, '"fee_payer":"perhaps"') },
    { title: 'who asked', rewrite: (body) => body.replace('"type":"collector"', '"type":"perhaps"') },
    { title: 'an object', rewrite: (body) => body.replace('"object":"payment"', '"object":"perhaps"') },
  ],
  impostors: [
    { title: 'another payment', rewrite: (body) => body.replace(/"reference":"[^"]+"/, '"reference":"other"') },
    { title: 'another reference', rewrite: (body) => body.replace(/"external_reference":"[^"]+"/, '"external_reference":"other"') },
    { title: 'no reference', rewrite: (body) => body.replace(/"external_reference":"[^"]+"/, '"external_reference":null') },
    { title: 'another amount', rewrite: (body) => body.replace('"amount":7.00', '"amount":7.01') },
  ],
  staleList: (body) => body.replace(/"refunds":\[.*\]/s, '"refunds":[]'),
});
