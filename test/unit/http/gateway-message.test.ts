import { describe, expect, it } from 'vitest';
import { REFUND_STATUSES } from '../../../src/domain/refund-status.ts';
import { FEE_PAYERS, FEE_TYPES, REFUND_TYPES } from '../../../src/domain/refund-receipt.ts';
import { BENEFICIARIES, REQUESTERS } from '../../../src/domain/refund-details.ts';
import { MESSAGE_STATUSES, messageStatusOf, refundStatusOf } from '../../../src/http/gateway/message-status.ts';
import { renderDevolucion } from '../../../src/http/gateway/render-devolucion.ts';
import type { ShownRefund } from '../../../src/http/gateway/render-devolucion.ts';
import { expectContract } from '../../http/start-api.ts';
import contract from '../../contract/fixtures/contract.schema.json' with { type: 'json' };

/** The enumerations of seed 003, as the contract has them. */
const SEED = contract.$defs.devolucion.properties;

const REFUND: ShownRefund = {
  refundId: 'rfd_1', provider: 'gateway', chargeId: 'pay-1', merchantId: 'm_one', merchantName: 'Tienda', status: 'refunded', statusDetail: 'complete', amountMinor: 10_000, reason: null,
  requestedBy: 'key_prefix', details: {}, receipt: null,
};

function written(refund: Partial<ShownRefund>): Record<string, unknown> {
  const message = JSON.parse(JSON.stringify(renderDevolucion({ ...REFUND, ...refund }))) as Record<string, unknown>;
  expectContract('devolucion', message);
  return message;
}

describe('the statuses of a message', () => {
  it('should be the seed\'s eleven, each the word of one refund status, both ways (seed 003)', () => {
    expect([...MESSAGE_STATUSES].sort()).toEqual([...SEED.status.enum].sort());
    expect(REFUND_STATUSES.map(messageStatusOf).sort()).toEqual([...MESSAGE_STATUSES].sort());
    expect(REFUND_STATUSES.map((status) => refundStatusOf(messageStatusOf(status)))).toEqual(REFUND_STATUSES);
    expect(MESSAGE_STATUSES.map((status) => messageStatusOf(refundStatusOf(status)))).toEqual(MESSAGE_STATUSES);
  });

  it.each([...REFUND_STATUSES])('should be written for a refund that is %s (seed 003)', (status) => {
    expect(written({ status, statusDetail: 'why' })).toMatchObject({ status, status_detail: 'why' });
  });
});

describe('renderDevolucion', () => {
  it.each([...REFUND_TYPES])('should write the type %s, the caller\'s before the provider\'s (seed 003)', (type) => {
    expect(SEED.type.enum).toContain(type);
    const receipt = { providerStatus: null, type, transactionId: null, authorizationCode: null, ticketNumber: null, fees: [] };
    expect(written({ receipt })).toMatchObject({ type });
    expect(written({ details: { refundType: type }, receipt: { ...receipt, type: type === 'manual' ? 'online' : 'manual' } })).toMatchObject({ type });
  });

  it('should know all types, fees and payers of the seed, and no others', () => {
    expect([...REFUND_TYPES].sort()).toEqual([...SEED.type.enum].sort());
    expect([...FEE_TYPES].sort()).toEqual([...SEED.fee_details.items.properties.type.enum].sort());
    expect([...FEE_PAYERS].sort()).toEqual([...SEED.fee_details.items.properties.fee_payer.enum].sort());
  });

  it.each(FEE_TYPES.flatMap((type) => FEE_PAYERS.map((payer) => ({ type, payer }))))('should write a fee of $type borne by $payer beside the amount, never netted (R7)', ({ type, payer }) => {
    const receipt = { providerStatus: null, type: null, transactionId: null, authorizationCode: null, ticketNumber: null, fees: [{ type, payer, description: 'why', amountMinor: 150 }] };
    expect(written({ receipt })).toMatchObject({ amount: 100, fee_details: [{ type, fee_payer: payer, description: 'why', amount: 1.5 }] });
    expect(JSON.stringify(renderDevolucion({ ...REFUND, receipt }))).toMatch(/"amount":100\.00,.*"amount":1\.50\}/);
  });

  it('should write all five sources of the seed (seed 003)', () => {
    const asked = REQUESTERS.map((requestedAs) => written({ details: { requestedAs } })['source'] as { type: string });
    const behalf = BENEFICIARIES.map((type) => written({ details: { onBehalfOf: { type, id: 'x' } } })['source'] as { type: string });
    expect([...asked, ...behalf].map(({ type }) => type).sort()).toEqual([...SEED.source.properties.type.enum].sort());
  });

  it('should write no amount that is not known as nothing, and say no type but online then', () => {
    expect(JSON.stringify(renderDevolucion({ ...REFUND, amountMinor: null }))).toContain('"amount":0.00,');
    expect(written({})).toMatchObject({ type: 'online', external_reference: null, transaction_id: null, authorization_code: null, ticket_number: null, fee_details: [], metadata: {} });
  });
});
