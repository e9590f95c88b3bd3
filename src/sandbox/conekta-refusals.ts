import { ConektaError, type ErrorDetail, type ErrorType } from './conekta-error.ts';

/** One text for English and debug, as the seeds have it (CONTRACT §5). */
function detail(code: string, es: string, debug: string, param: string | null = null): ErrorDetail {
  return { code, es, en: debug, debug, param };
}

function refusal(status: number, type: ErrorType, code: string, es: string, debug: string, param: string | null = null): ConektaError {
  return new ConektaError({ status, type, details: [detail(code, es, debug, param)] });
}

/** 401: no key, or one that is not a Conekta key (CONTRACT §6). */
export function unauthenticated(): ConektaError {
  return refusal(401, 'authentication_error', 'authentication.missing_key', 'Acceso no autorizado.', 'Please include your access key in your request.');
}

/** 404: no such object, or another key's (CONTRACT §6). */
export function notFound(object: string, id: string): ConektaError {
  const debug = `The object ${object} "${id.slice(0, 100)}" could not be found.`;
  return new ConektaError({ status: 404, type: 'resource_not_found_error', details: [{
    code: 'resource_not_found.entity', es: 'El recurso no fue encontrado.', en: 'The resource was not found.', debug, param: null,
  }] });
}

/** 404: no such address. */
export function routeNotFound(): ConektaError {
  return refusal(404, 'resource_not_found_error', 'resource_not_found.route', 'El recurso no fue encontrado.', 'The resource was not found.');
}

/** 400, 413 or 415: the body cannot be read (CONTRACT §6). */
export function malformedRequest(status: number): ConektaError {
  return refusal(status, 'malformed_request_error', 'malformed_request.body', 'El cuerpo de la petición no se puede leer.', 'The request body could not be read.');
}

/** 422: a parameter is there and wrong. */
export function invalidParameter(param: string, es: string, debug: string): ConektaError {
  return refusal(422, 'parameter_validation_error', `parameter_validation.${param}.invalid`, es, debug, param);
}

/** 422: the refund asks for more than remains of the charge; nothing moves (CONTRACT §5). */
export function amountExceedsRemainder(): ConektaError {
  return invalidParameter('amount', 'El monto excede lo que resta por reembolsar.', 'The "amount" exceeds what remains to be refunded.');
}

/** 428: a charge of the order cannot be refunded (seed 002). */
export function orderNotReturnable(): ConektaError {
  return refusal(428, 'precondition_required_error', 'precondition_required.combo.order.is_not_returnable',
    'No se puede devolver la orden.', 'The order can not be returned.');
}

/** 402 with the untouched order: part of a split payment without naming the charge (seed 002). */
export function chargeIdRequired(order: object): ConektaError {
  return new ConektaError({ status: 402, type: 'processing_error', data: order, details: [detail(
    'processing.charge_operations.refund.split_payment.charge_id_is_required',
    'El id del cargo es requerido para reembolsar pagos fraccionados', 'Charge id is required for refund split payments',
  )] });
}

/** 402: the bank refused the card. */
export function cardDeclined(): ConektaError {
  return refusal(402, 'processing_error', 'processing.bank.declined', 'La tarjeta fue declinada por el banco.', 'The card was declined by the bank.');
}

/** 402: the provider refused the refund (PRODUCT X4, `decline`). */
export function refundDeclined(): ConektaError {
  return refusal(402, 'processing_error', 'processing.charge_operations.refund.declined', 'El reembolso fue rechazado.', 'The refund was declined.');
}

/** 402: the provider refused to issue a cash reference (PRODUCT X4, `decline`). */
export function payoutDeclined(): ConektaError {
  return refusal(402, 'processing_error', 'processing.payout.declined', 'La referencia de retiro fue rechazada.', 'The payout order was declined.');
}

/** 402: the provider refused to be asked (PRODUCT X4, `decline` of a reading operation). */
export function readDeclined(): ConektaError {
  return refusal(402, 'processing_error', 'processing.general', 'Hubo un problema al procesar la petición.', 'There was an issue while trying to process the request.');
}

/** 428: the payout order is in a state that cannot be cancelled, for instance because the cash is out (CONTRACT §3). */
export function payoutNotCancellable(): ConektaError {
  return refusal(428, 'precondition_required_error', 'precondition_required.payout_order.is_not_cancellable',
    'No se puede cancelar la orden de retiro.', 'The payout order can not be cancelled.');
}

/** 409: the till may not do this with the reference as it is (PRODUCT X5), or the order has nothing to be paid. */
export function stateConflict(es: string, debug: string): ConektaError {
  return refusal(409, 'conflict_error', 'conflict.status', es, debug);
}

/** 500: what a provider says when it broke (CONTRACT §6). */
export function systemFailure(): ConektaError {
  return refusal(500, 'api_error', 'api.system.general_failure', 'Ocurrió un error y los ingenieros de Conekta han sido notificados.',
    'There was a runtime error and Conekta engineers have been notified.');
}

/** 503: out of service, nothing was done (PRODUCT X4, `unavailable`). */
export function unavailable(): ConektaError {
  return refusal(503, 'api_error', 'api.system.unavailable', 'El servicio no está disponible.', 'The service is unavailable.');
}

/** 429 with `Retry-After`: too many requests, nothing was done (PRODUCT X4, `rate_limited`). */
export function rateLimited(retryAfterSeconds: number): ConektaError {
  return new ConektaError({ status: 429, type: 'api_error', retryAfterSeconds, details: [
    detail('api.rate_limited', 'Demasiadas peticiones.', 'Too many requests.'),
  ] });
}
