import type { ActRefusal, PayoutOrderView, RefundView } from '../../workflows/messages.ts';

/** Thrown when a cancellation is refused: the refund or payout order stands as `view` says (R4, P4). */
export class NotCancellableError extends Error {
  override readonly name = 'NotCancellableError';
  /** The true state, or `null` when only the records know it (its Workflow has ended). */
  readonly view: RefundView | PayoutOrderView | null;

  constructor(message: string, view: RefundView | PayoutOrderView | null) {
    super(message);
    this.view = view;
  }
}

/** Thrown when an act of a person is refused (R3, O2): nothing was changed, and the refund or payout order stands as `view` says. */
export class ActRefusedError extends Error {
  override readonly name = 'ActRefusedError';
  readonly why: ActRefusal;
  /** The true state; `null` where nothing is running any more. */
  readonly view: RefundView | PayoutOrderView | null;

  constructor(message: string, why: ActRefusal, view: RefundView | PayoutOrderView | null) {
    super(message);
    this.why = why;
    this.view = view;
  }
}

/** Thrown when the Workflow of a refund or payout order is not there: it ended, or never was. Its records say which. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** Thrown when the key was used for another request before (R8): nothing was started. */
export class KeyReusedError extends Error {
  override readonly name = 'KeyReusedError';
}

/** Thrown before anything is started: a field of the request cannot be what it is. */
export class InvalidRequestError extends TypeError {
  override readonly name = 'InvalidRequestError';
  readonly field: string;

  constructor(field: string) {
    super(`"${field}" of the request is not valid`);
    this.field = field;
  }
}

/** Thrown when it is not known whether the request was taken in: repeat it with the same key. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
}
