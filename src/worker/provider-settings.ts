import type { Config } from '../config.ts';
import { createConektaAdapter } from '../providers/conekta/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import type { ProviderRegistry } from '../providers/registry.ts';

/** The providers as configured, and how to let go of their connections. */
export interface ConfiguredProviders {
  readonly registry: ProviderRegistry;
  close(): Promise<void>;
}

/** Makes the provider registry from the settings. */
export function configureProviders(config: Config): ConfiguredProviders {
  const conekta = createConektaAdapter({ baseUrl: config.CONEKTA_BASE_URL, timeoutMs: config.CONEKTA_TIMEOUT_MS });
  const entry = {
    adapter: conekta, timeoutMs: config.CONEKTA_TIMEOUT_MS, settleDelayMs: config.CONEKTA_SETTLE_DELAY_MS, maxSends: config.CONEKTA_MAX_SENDS,
    confirmationWindowMs: config.CONFIRMATION_WINDOW_SECONDS * 1000,
    pollMs: config.CONEKTA_POLL_SECONDS === 0 ? null : config.CONEKTA_POLL_SECONDS * 1000,
  };
  return { registry: createProviderRegistry([entry], config.PROVIDER_CREDENTIALS), close: () => conekta.close() };
}
