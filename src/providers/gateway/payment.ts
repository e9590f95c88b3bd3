import { countsAgainstCharge } from '../../domain/send-protocol.ts';
import type { ProviderOrder } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { assertOurs } from '../wire/request.ts';
import { LABEL, gatewayAnswers } from './answers.ts';
import { minorOf, toListedRefund, toProviderOrder } from './map.ts';
import { messageSchema, paymentSchema } from './schemas.ts';
import type { GatewayMessageDto, GatewayPaymentDto } from './schemas.ts';

function refuseUnless(condition: boolean, problem: string): void {
  if (!condition) throw new ProviderError('unknown', `${LABEL}: unexpected answer at refunds: ${problem}`);
}

/** Reads an answer that must be a refund of this payment with this reference. @throws ProviderError `unknown` when it is not (S7) */
export function readMessage(json: unknown, paymentId: string, reference: string): GatewayMessageDto {
  const message = gatewayAnswers.check(messageSchema, json);
  assertOurs(LABEL, message.reference === paymentId, 'this payment');
  assertOurs(LABEL, message.external_reference === reference, 'this reference');
  return message;
}

/** Reads an answer that must be this payment. @throws ProviderError `unknown` when it is not (S7) */
export function readPayment(json: unknown, paymentId: string): GatewayPaymentDto {
  const payment = gatewayAnswers.check(paymentSchema, json);
  assertOurs(LABEL, payment.id === paymentId, 'this payment');
  refuseUnless(payment.refunds.every(({ reference }) => reference === paymentId), 'a refund of another payment');
  refuseUnless(new Set(payment.refunds.map(({ id }) => id)).size === payment.refunds.length, 'the same id twice');
  return payment;
}

/** The list with a refund that was read for itself, and later: it takes the place of the one with its id, or comes last where the list is behind. */
function merge(listed: readonly GatewayMessageDto[], found: GatewayMessageDto): readonly GatewayMessageDto[] {
  const index = listed.findIndex(({ id }) => id === found.id);
  const earlier = listed[index];
  // A list that is behind may lack another one with this reference, which did not fail.
  if (earlier === undefined) refuseUnless(countsAgainstCharge(toListedRefund(found)), 'a refund that failed is not listed');
  if (earlier === undefined) return [...listed, found];
  refuseUnless(minorOf(earlier.amount) === minorOf(found.amount), 'one refund with two amounts');
  return listed.with(index, found);
}

/**
 * The payment as an order, with a refund that was found by its reference.
 * @throws ProviderError `unknown` when more was given back than was paid, or something was and is not listed: what is missing from a list
 * looks like a refund never made, and would be sent again (S7).
 */
export function toWholeOrder(payment: GatewayPaymentDto, found: GatewayMessageDto | null): ProviderOrder {
  const messages = found === null ? payment.refunds : merge(payment.refunds, found);
  const counting = messages.map(toListedRefund).filter(countsAgainstCharge);
  // Taken off one by one: a sum could leave the safe integers.
  const leftMinor = counting.reduce((left, { amountMinor }) => (left < 0 ? left : left - amountMinor), minorOf(payment.amount));
  refuseUnless(leftMinor >= 0, 'more was refunded than was paid');
  refuseUnless(payment.status !== 'refunded' || messages.length > 0, 'refunded, but lists no refund');
  return toProviderOrder(payment, messages);
}
