import { ApplicationFailure } from '@temporalio/common';
import { UnreadableDemandError } from '../src/domain/checkpoint.ts';
import { MissingProviderError } from '../src/providers/registry.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { UnknownMerchantError } from '../src/store/merchants.ts';

/**
 * The one maker of `ApplicationFailure`. Reads of a provider and missing configuration are retried by Temporal, after the
 * pause the provider asked for; a merchant that does not exist, or a demand that cannot be read, never will. Anything else is a defect and stays as it is.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof ProviderError) {
    const { httpStatus, providerCode, retryAfterMs } = error.details;
    return ApplicationFailure.create({
      type: `Provider.${error.kind}`, message: error.message, details: [{ httpStatus, providerCode }],
      ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
    });
  }
  if (error instanceof MissingProviderError) return ApplicationFailure.create({ type: error.name, message: error.message });
  if (error instanceof UnknownMerchantError || error instanceof UnreadableDemandError) return ApplicationFailure.create({ type: error.name, message: error.message, nonRetryable: true });
  return error;
}

/** Wraps every Activity of a set so that its errors go through `toFailure`. */
export function withFailures<T extends { [K in keyof T]: (input: never) => Promise<unknown> }>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (input: unknown) => Promise<unknown>;
    return [name, async (input: unknown) => {
      try {
        return await run(input);
      } catch (error) {
        throw toFailure(error);
      }
    }];
  });
  return Object.fromEntries(wrapped) as T;
}
