import { ApplicationFailure } from '@temporalio/common';

import type { PayoutOrderStanding, PayoutOutcome } from '../../activities/payout-contracts.ts';
import { followProvider, isCancellablePayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { Script } from './scripted-activities.ts';

/** What a provider knows of the one payout order of a test; a test moves `status` as the rail would. */
export interface FakePayoutProvider {
  status: PayoutOrderStatus;
  /** Whether it voids what was not confirmed; a till that is about to hand out the cash makes it refuse. */
  voids: boolean;
  /** Whether it takes no request and answers no question. */
  isSilent: boolean;
}

/** The rules of the payout orders of a test; the defaults are those of PRODUCT §6. */
export interface PayoutRules {
  readonly confirmationWindowMs?: number;
  readonly settleDelayMs?: number;
  readonly maxSends?: number;
  readonly pollMs?: number;
  /** What the records say from the start: the Workflow has begun again. */
  readonly standing?: PayoutOrderStanding;
}

/**
 * Scripts all payout Activities with a provider that issues at once, voids what is not collected, and tells the truth. The books follow it
 * as the real ones do: a provider that lags behind them changes nothing.
 */
export function fakePayoutProvider(script: Script, rules: PayoutRules = {}): FakePayoutProvider {
  const { confirmationWindowMs = 180_000, settleDelayMs = 60_000, maxSends = 3, standing, pollMs } = rules;
  const provider: FakePayoutProvider = { status: standing?.status ?? 'open', voids: true, isSilent: false };
  let books = provider.status;
  const settle = (status: PayoutOrderStatus): PayoutOutcome => ({ kind: 'settled', status: (books = status) });
  const follow = (theirs: PayoutOrderStatus): PayoutOutcome => {
    const followed = followProvider(books, theirs);
    if (followed.kind === 'contradiction') return { kind: 'contradiction', status: books };
    return settle(followed.events.length > 0 ? theirs : books);
  };
  script.on('registerPayoutOrder', ({ fingerprint }) => ({
    provider: 'conekta', confirmationWindowMs, protocol: { idempotency: 'reference', settleDelayMs, maxSends }, fingerprint,
    ...(standing === undefined ? {} : { standing }), ...(pollMs === undefined ? {} : { pollMs }),
  }));
  script.on('issueReference', () => (provider.isSilent ? { kind: 'not_sent', retryAfterMs: null } : settle((provider.status = 'pending'))));
  script.on('findReference', ({ isLast }) => {
    requireAnswer(provider);
    if (provider.status === 'open') return isLast === true ? { kind: 'declined', status: 'open' } : { kind: 'absent' };
    return follow(provider.status);
  });
  script.on('followPayoutOrder', ({ cause }) => {
    requireAnswer(provider);
    return follow(cause === 'window_ended' && provider.status === 'pending_confirmation' ? 'withdrawn' : provider.status);
  });
  script.on('voidReference', ({ cause, isWithdrawalTold }) => {
    if (provider.isSilent) return { kind: 'not_sent', retryAfterMs: null };
    if (cause === 'expiry' && provider.status === 'pending_confirmation') return follow(provider.status);
    if (cause === 'expiry' && isWithdrawalTold === true) return { kind: 'declined', status: books };
    if (!provider.voids || !isCancellablePayoutOrderStatus(provider.status)) return { kind: 'declined', status: books };
    return settle((provider.status = cause === 'expiry' ? 'expired' : 'cancelled'));
  });
  return provider;
}

function requireAnswer(provider: FakePayoutProvider): void {
  if (provider.isSilent) throw ApplicationFailure.create({ message: 'the provider does not answer' });
}
