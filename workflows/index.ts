export { payoutOrderWorkflow } from './payout-order.ts';
export { refundWorkflow } from './refund.ts';
export { refundAftermathWorkflow } from './refund-aftermath.ts';
