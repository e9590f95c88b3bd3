import type { PayoutOutcome } from '../../activities/contracts.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { Script } from './scripted-activities.ts';

/** What a provider knows of the one payout order of a test; a test moves `status` as the rail would. */
export interface FakePayoutProvider {
  status: PayoutOrderStatus;
}

/** The rules of the payout orders of a test; the defaults are those of PRODUCT §6. */
export interface PayoutRules {
  readonly confirmationWindowMs?: number;
  readonly settleDelayMs?: number;
  readonly maxSends?: number;
}

/** Scripts all payout Activities with a provider that issues at once, voids what is not collected, and tells the truth. */
export function fakePayoutProvider(script: Script, rules: PayoutRules = {}): FakePayoutProvider {
  const { confirmationWindowMs = 180_000, settleDelayMs = 60_000, maxSends = 3 } = rules;
  const provider: FakePayoutProvider = { status: 'open' };
  const settle = (status: PayoutOrderStatus): PayoutOutcome => ({ kind: 'settled', status: (provider.status = status) });
  script.on('registerPayoutOrder', ({ fingerprint }) => ({ provider: 'conekta', confirmationWindowMs, protocol: { idempotency: 'reference', settleDelayMs, maxSends }, fingerprint }));
  script.on('issueReference', () => settle('pending'));
  script.on('followPayoutOrder', ({ cause }) => settle(cause === 'window_ended' && provider.status === 'pending_confirmation' ? 'withdrawn' : provider.status));
  script.on('voidReference', ({ cause }) => {
    const voidable = provider.status === 'pending' || provider.status === 'pending_confirmation';
    return voidable ? settle(cause === 'expiry' ? 'expired' : 'cancelled') : { kind: 'declined', status: provider.status };
  });
  return provider;
}
