import type { SendProtocol } from '../domain/send-protocol.ts';
import type { ProviderAdapter } from './provider.ts';

/** A provider that can be used: its adapter and the numbers that go with it. */
export interface ProviderEntry {
  readonly adapter: ProviderAdapter;
  readonly settleDelayMs: number;
  /** The longest that one call of the adapter may take, milliseconds. */
  readonly timeoutMs: number;
  readonly maxSends: number;
  /** How long a rail may reverse a withdrawal (P2). */
  readonly confirmationWindowMs: number;
  /** How often a payout order is asked about where the provider sends no webhooks, milliseconds; `null` where it does (P8). */
  readonly pollMs: number | null;
}

/** The providers of this deployment by name, and the merchants' secrets there. */
export interface ProviderRegistry {
  /** @throws MissingProviderError for a provider that is not configured. */
  entry(provider: string): ProviderEntry;
  /** @throws MissingProviderError when the merchant has no secret at the provider. */
  credential(merchantId: string, provider: string): string;
}

/** Thrown when a merchant's provider or secret is not configured; the work waits until it is. */
export class MissingProviderError extends Error {
  override readonly name = 'MissingProviderError';
}

/** Secrets by merchant and provider. */
export type ProviderCredentials = { readonly [merchantId: string]: { readonly [provider: string]: string } };

/** Makes the registry. */
export function createProviderRegistry(entries: readonly ProviderEntry[], credentials: ProviderCredentials): ProviderRegistry {
  const byName = new Map(entries.map((entry) => [entry.adapter.name, entry]));
  return {
    entry(provider) {
      const entry = byName.get(provider);
      if (entry === undefined) throw new MissingProviderError(`provider "${provider}" is not configured`);
      return entry;
    },
    credential(merchantId, provider) {
      const credential = credentials[merchantId]?.[provider];
      if (credential === undefined) throw new MissingProviderError(`merchant "${merchantId}" has no credential for provider "${provider}"`);
      return credential;
    },
  };
}

/** A provider that may not be configured here (yet): `null` then. */
export function configuredEntry(registry: ProviderRegistry, provider: string): ProviderEntry | null {
  try {
    return registry.entry(provider);
  } catch (error) {
    if (error instanceof MissingProviderError) return null;
    throw error;
  }
}

/** A process that slept longer than this between asking for its permit and its call must not call any more, milliseconds. */
export const MAX_PAUSE_BEFORE_SEND_MS = 5000;

/** After how much time a look may conclude anything about a send: since its permit when its worker was lost, since its end otherwise. Milliseconds. */
export function quietTime(entry: ProviderEntry): { readonly afterPermitMs: number; readonly afterCallMs: number } {
  return { afterPermitMs: MAX_PAUSE_BEFORE_SEND_MS + entry.timeoutMs + entry.settleDelayMs, afterCallMs: entry.settleDelayMs };
}

/** The numbers of the send protocol for refunds at a provider (S1, S4). */
export function refundProtocol(entry: ProviderEntry): SendProtocol {
  return { idempotency: entry.adapter.idempotency, settleDelayMs: entry.settleDelayMs, maxSends: entry.maxSends };
}

/** The numbers of the send protocol for payout orders: our id travels along, so the provider can be asked for it. */
export function payoutProtocol(entry: ProviderEntry): SendProtocol {
  return { idempotency: 'reference', settleDelayMs: entry.settleDelayMs, maxSends: entry.maxSends };
}
