import { afterAll, beforeAll } from 'vitest';
import { ContractScene } from './contract-scene.ts';
import { aftermathSuite } from './suites/aftermath.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { idempotencySuite } from './suites/idempotency.ts';
import { payoutOrderStatusesSuite } from './suites/payout-order-statuses.ts';
import { payoutOrdersSuite } from './suites/payout-orders.ts';
import { providerFaultsSuite } from './suites/provider-faults.ts';
import { refundProtocolSuite } from './suites/refund-protocol.ts';
import { refundRulesSuite } from './suites/refund-rules.ts';
import { refundSemanticsSuite } from './suites/refund-semantics.ts';
import { seedRequestsSuite } from './suites/seed-requests.ts';
import { shippedExamplesSuite } from './suites/shipped-examples.ts';

// One product for all suites: its processes take longer to start than most suites to run.
let opened: ContractScene | undefined;
beforeAll(async () => { opened = await ContractScene.open(); });
afterAll(async () => opened?.product.stop());

const scene = (): ContractScene => {
  if (opened === undefined) throw new Error('the product was not started');
  return opened;
};

seedRequestsSuite(scene);
refundRulesSuite(scene);
refundProtocolSuite(scene);
refundSemanticsSuite(scene);
badInputSuite(scene);
idempotencySuite(scene);
payoutOrdersSuite(scene);
payoutOrderStatusesSuite(scene);
providerFaultsSuite(scene);
shippedExamplesSuite(scene);
aftermathSuite(scene);
