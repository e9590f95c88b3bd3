import { ProviderError } from '../provider-error.ts';

/** What a request is for: `refund` and `send` ask for a change, `read` names one object, `search` lists. */
export type RequestPurpose = 'refund' | 'send' | 'read' | 'search';

/** Whether a request asks for a change. */
export function isSend(purpose: RequestPurpose): boolean {
  return purpose === 'refund' || purpose === 'send';
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** An id as one path segment. An id that cannot be one names nothing, and must not turn into another address. */
export function pathSegment(label: string, id: string, purpose: RequestPurpose): string {
  if (id === '' || id === '.' || id === '..' || LONE_SURROGATE.test(id)) {
    throw new ProviderError(isSend(purpose) ? 'declined' : 'not_found', `${label}: not an id`);
  }
  return encodeURIComponent(id);
}

/** Refuses to send what is no positive safe integer. Without this, an amount that is not a number would leave as `null` and mean "all of it". */
export function assertAmount(label: string, amountMinor: number): void {
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0) throw new ProviderError('declined', `${label}: the amount is not a positive integer`);
}

/** Throws `ProviderError` `unknown` when an answer is about something else than was asked for (S7). */
export function assertOurs(label: string, condition: boolean, what: string): void {
  if (!condition) throw new ProviderError('unknown', `${label}: the answer is not about ${what}`);
}
