/** The error types of the Conekta dialect (CONTRACT §6), which the gateway dialect takes over. */
export type ErrorType =
  | 'api_error' | 'authentication_error' | 'conflict_error' | 'malformed_request_error' | 'parameter_validation_error'
  | 'precondition_required_error' | 'processing_error' | 'resource_not_found_error';

/** How an error looks to callers. `{name}` stands for a value of the problem. */
export interface ErrorText {
  /** HTTP status. */
  readonly status: number;
  /** HTTP status on the native face: there 428 keeps the meaning it has in RFC 6585, and a state that does not allow a request is a conflict. */
  readonly nativeStatus: number;
  readonly type: ErrorType;
  /** Follows `conekta.errors.` on the wire, or `gateway.errors.` on the gateway face. */
  readonly code: string;
  readonly es: string;
  readonly en: string;
  /** The text for developers, always English. */
  readonly debug: string;
}

type Texts = readonly [es: string, en: string, debug?: string];

function text(status: number, type: ErrorType, code: string, [es, en, debug = en]: Texts): ErrorText {
  return { status, nativeStatus: status === 428 ? 409 : status, type, code, es, en, debug };
}

/** Every error the API answers with: HTTP status, dialect code, texts (CONTRACT §5, §6; the codes they do not name are ours). */
export const ERRORS = {
  unauthenticated: text(401, 'authentication_error', 'authentication.missing_key', ['Acceso no autorizado.', 'Please include your access key in your request.']),
  scope_missing: text(403, 'authentication_error', 'authentication.scope_missing', ['La llave no tiene permiso para esta operación.', 'The key may not be used for this operation.']),
  webhook_signature_invalid: text(401, 'authentication_error', 'authentication.webhook_signature', ['La firma no es válida.', 'The signature is not valid.']),
  route_not_found: text(404, 'resource_not_found_error', 'resource_not_found.route', ['El recurso no fue encontrado.', 'The resource was not found.']),
  object_not_found: text(404, 'resource_not_found_error', 'resource_not_found.entity', ['El recurso no fue encontrado.', 'The resource was not found.', 'The object {object} "{id}" could not be found.']),
  malformed_request: text(400, 'malformed_request_error', 'malformed_request.unreadable', ['La petición no se puede leer.', 'The request could not be read.']),
  malformed_json: text(400, 'malformed_request_error', 'malformed_request.json', ['El cuerpo de la petición no es JSON válido.', 'The request body is not valid JSON.']),
  body_too_large: text(413, 'malformed_request_error', 'malformed_request.too_large', ['El cuerpo de la petición es demasiado grande.', 'The request body is too large.']),
  unsupported_media_type: text(415, 'malformed_request_error', 'malformed_request.media_type', ['El cuerpo de la petición debe ser JSON.', 'The request body must be JSON.']),
  body_not_object: text(422, 'parameter_validation_error', 'parameter_validation.body.invalid', ['El cuerpo de la petición debe ser un objeto.', 'The request body must be an object.']),
  param_missing: text(422, 'parameter_validation_error', 'parameter_validation.{param}.missing', ['El parametro "{param}" es requerido.', 'The "{param}" is missing.']),
  param_invalid: text(422, 'parameter_validation_error', 'parameter_validation.{param}.invalid', ['El parametro "{param}" es inválido.', 'The "{param}" is invalid.']),
  param_duplicated: text(422, 'parameter_validation_error', 'parameter_validation.{param}.duplicated', ['El parametro "{param}" está repetido.', 'The "{param}" is given more than once.']),
  param_not_allowed: text(422, 'parameter_validation_error', 'parameter_validation.whitelist', ['El parametro "{param}" no está permitido', 'The "{param}" parameter is not allowed']),
  card_number: text(422, 'parameter_validation_error', 'parameter_validation.card_number', ['La petición no debe llevar números de tarjeta.', 'The request must not carry a card number.']),
  idempotency_key_invalid: text(422, 'parameter_validation_error', 'parameter_validation.idempotency_key.invalid', ['La llave de idempotencia debe tener de 1 a 255 caracteres ASCII visibles.', 'The idempotency key must have 1 to 255 visible ASCII characters.']),
  idempotency_key_reused: text(422, 'parameter_validation_error', 'parameter_validation.idempotency_key.reused', ['La llave de idempotencia se usó con otra petición.', 'The idempotency key was used for another request.']),
  idempotency_key_spent: text(409, 'conflict_error', 'conflict.idempotency_key.spent', ['La petición de esta llave de idempotencia no está registrada; use otra llave.', 'The request of this idempotency key is not on record; use another key.']),
  amount_exceeds_remaining: text(422, 'parameter_validation_error', 'parameter_validation.amount.exceeds_remaining', ['El monto excede lo que resta por reembolsar.', 'The "amount" exceeds what remains to be refunded.']),
  currency_not_supported: text(422, 'parameter_validation_error', 'parameter_validation.currency.not_supported', ['La moneda del pago no tiene centavos; use la otra interfaz.', 'The currency of the payment has no hundredths; use the other face.']),
  order_not_returnable: text(428, 'precondition_required_error', 'precondition_required.combo.order.is_not_returnable', ['No se puede devolver la orden.', 'The order can not be returned.']),
  payment_not_refundable: text(428, 'precondition_required_error', 'precondition_required.payment.is_not_refundable', ['No se puede devolver el pago.', 'The payment can not be refunded.']),
  charge_id_required: text(402, 'processing_error', 'processing.charge_operations.refund.split_payment.charge_id_is_required', ['El id del cargo es requerido para reembolsar pagos fraccionados', 'Charge id is required for refund split payments']),
  refund_declined: text(402, 'processing_error', 'processing.charge_operations.refund.declined', ['El reembolso fue rechazado.', 'The refund was declined.', 'The refund was declined ({reason}).']),
  refund_partly_declined: text(402, 'processing_error', 'processing.charge_operations.refund.partially_declined', ['El reembolso fue rechazado en parte de los cargos.', 'The refund was declined for some of the charges.']),
  refund_cancelled: text(402, 'processing_error', 'processing.charge_operations.refund.cancelled', ['El reembolso fue cancelado.', 'The refund was cancelled.']),
  refund_dismissed: text(402, 'processing_error', 'processing.charge_operations.refund.dismissed', ['El reembolso fue desestimado.', 'The refund was dismissed.']),
  refund_not_cancellable: text(428, 'precondition_required_error', 'precondition_required.refund.is_{status}', ['No se puede cancelar el reembolso.', 'The refund can not be cancelled.', 'The refund is {status} and can not be cancelled.']),
  payout_order_not_cancellable: text(428, 'precondition_required_error', 'precondition_required.payout_order.is_{status}', ['No se puede cancelar la orden de retiro.', 'The payout order can not be cancelled.', 'The payout order is {status} and can not be cancelled.']),
  payout_order_says_otherwise: text(409, 'conflict_error', 'conflict.payout_order.is_{status}', ['La orden de retiro dice otra cosa.', 'The payout order says otherwise.', 'The payout order is {status}: what was reported did not change it, and the rail must not act upon it.']),
  unavailable: text(503, 'api_error', 'api.system.unavailable', ['El servicio no está disponible; intente de nuevo.', 'The service is unavailable; try again.']),
  provider_unavailable: text(503, 'api_error', 'api.provider.unavailable', ['El proveedor no está disponible; intente de nuevo.', 'The provider is unavailable; try again.']),
  provider_outcome_unknown: text(503, 'api_error', 'api.provider.outcome_unknown', ['El proveedor no respondió; revise las órdenes antes de repetir la petición.', 'The provider did not answer; look at the orders before repeating the request.']),
  orders_not_configured: text(503, 'api_error', 'api.orders.not_configured', ['Las órdenes no están configuradas.', 'Orders are not set up.']),
  gateway_not_configured: text(503, 'api_error', 'api.gateway.not_configured', ['El proveedor de pagos no está configurado.', 'The payment provider is not set up.']),
  general_failure: text(500, 'api_error', 'api.system.general_failure', ['Ocurrió un error y fue registrado.', 'There was a runtime error and it has been recorded.']),
} as const satisfies Record<string, ErrorText>;

/** The stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;

/** One problem of a request. `values` fill the texts and must be fit to be shown. */
export interface Problem {
  readonly code: ErrorCode;
  /** The parameter at fault, or `null`. */
  readonly param?: string | null;
  readonly values?: Readonly<Record<string, string>>;
}

/** What goes with an error. */
export interface ErrorExtras {
  /** Shown beside the error, for example the order as it now is; on the native face its fields become members of the problem. */
  readonly data?: object | undefined;
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Thrown when a request is answered with an error; all its problems share the first one's status. Its message names codes only. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problems: readonly [Problem, ...Problem[]];
  readonly data: object | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(problems: Problem | readonly [Problem, ...Problem[]], extras: ErrorExtras = {}) {
    const list: readonly [Problem, ...Problem[]] = 'code' in problems ? [problems] : problems;
    super(list.map((problem) => problem.code).join(', '), extras.cause === undefined ? {} : { cause: extras.cause });
    this.problems = list;
    this.data = extras.data;
    this.retryAfterSeconds = extras.retryAfterSeconds;
  }

  /** HTTP status in the dialect. */
  get status(): number {
    return ERRORS[this.problems[0].code].status;
  }

  /** HTTP status on the native face. */
  get nativeStatus(): number {
    return ERRORS[this.problems[0].code].nativeStatus;
  }
}
