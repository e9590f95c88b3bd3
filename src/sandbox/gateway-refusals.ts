import { ConektaError, type ErrorType } from './conekta-error.ts';

function refusal(status: number, type: ErrorType, code: string, es: string, debug: string, param: string | null = null): ConektaError {
  return new ConektaError({ status, type, details: [{ code, es, en: debug, debug, param }] });
}

/** 428: the payment is unpaid, contested, or nothing is left of it (docs/gateway-dialect.md). */
export function paymentNotRefundable(): ConektaError {
  return refusal(428, 'precondition_required_error', 'precondition_required.payment.is_not_refundable',
    'No se puede devolver el pago.', 'The payment can not be refunded.');
}

/** 422: more than remains of the payment; nothing moves (docs/gateway-dialect.md). */
export function amountExceedsPayment(): ConektaError {
  return refusal(422, 'parameter_validation_error', 'parameter_validation.amount.exceeds_remaining',
    'El monto excede lo que resta por devolver.', 'The "amount" exceeds what remains to be refunded.', 'amount');
}

/** 402: the provider refused the refund (PRODUCT X4, `decline`). */
export function devolucionDeclined(): ConektaError {
  return refusal(402, 'processing_error', 'processing.refund.declined', 'La devolución fue rechazada.', 'The refund was declined.');
}

/** 409: another payment has this id. */
export function paymentExists(): ConektaError {
  return refusal(409, 'conflict_error', 'conflict.id', 'Ya existe un pago con este id.', 'There is already a payment with this id.', 'id');
}

/** 500: what a provider says when it broke. */
export function gatewayFailure(): ConektaError {
  return refusal(500, 'api_error', 'api.system.general_failure', 'Ocurrió un error interno.', 'There was a runtime error.');
}
