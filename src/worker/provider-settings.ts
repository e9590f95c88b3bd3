import type { Config } from '../config.ts';
import { createConektaAdapter } from '../providers/conekta/adapter.ts';
import { createGatewayAdapter } from '../providers/gateway/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import type { ProviderEntry, ProviderRegistry } from '../providers/registry.ts';

/** The providers as configured, and how to let go of their connections. */
export interface ConfiguredProviders {
  readonly registry: ProviderRegistry;
  close(): Promise<void>;
}

/** Makes the provider registry from the settings. */
export function configureProviders(config: Config): ConfiguredProviders {
  const confirmationWindowMs = config.CONFIRMATION_WINDOW_SECONDS * 1000;
  const conekta = createConektaAdapter({ baseUrl: config.CONEKTA_BASE_URL, timeoutMs: config.CONEKTA_TIMEOUT_MS });
  const conektaEntry: ProviderEntry = {
    adapter: conekta, timeoutMs: config.CONEKTA_TIMEOUT_MS, settleDelayMs: config.CONEKTA_SETTLE_DELAY_MS, maxSends: config.CONEKTA_MAX_SENDS,
    confirmationWindowMs,
    pollMs: config.CONEKTA_POLL_SECONDS === 0 ? null : config.CONEKTA_POLL_SECONDS * 1000,
  };
  if (config.GATEWAY_BASE_URL === undefined) return { registry: createProviderRegistry([conektaEntry], config.PROVIDER_CREDENTIALS), close: () => conekta.close() };
  const gateway = createGatewayAdapter({ baseUrl: config.GATEWAY_BASE_URL, timeoutMs: config.GATEWAY_TIMEOUT_MS });
  const gatewayEntry: ProviderEntry = {
    adapter: gateway, timeoutMs: config.GATEWAY_TIMEOUT_MS, settleDelayMs: config.GATEWAY_SETTLE_DELAY_MS, maxSends: config.GATEWAY_MAX_SENDS, confirmationWindowMs, pollMs: null,
  };
  return {
    registry: createProviderRegistry([conektaEntry, gatewayEntry], config.PROVIDER_CREDENTIALS),
    close: async () => {
      await Promise.all([conekta.close(), gateway.close()]);
    },
  };
}
