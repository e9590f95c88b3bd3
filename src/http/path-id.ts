import { holdsCardNumber } from './card-number.ts';
import { ApiError } from './errors.ts';

/** The objects that paths name. */
export type ObjectName = 'Order' | 'Charge' | 'Payment' | 'Refund' | 'PayoutOrder';

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Checks an id from a path, decoded already (CONTRACT §9). @throws ApiError 404: what is no id names nothing, and is not echoed */
export function pathId(object: ObjectName, value: string): string {
  if (!ID.test(value) || holdsCardNumber(value)) throw new ApiError({ code: 'object_not_found', values: { object } });
  return value;
}

/** 404: no such object, or another merchant's. */
export function notFound(object: ObjectName, id: string): ApiError {
  return new ApiError({ code: 'object_not_found', values: { object, id } });
}
