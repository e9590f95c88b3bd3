import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { createReintegroClient } from '../client/reintegro-client.ts';
import type { Config } from '../config.ts';
import { createApiApp } from '../http/app.ts';
import type { Database } from '../store/database.ts';
import { connectClient } from '../temporal/connection.ts';
import { isDatabaseServing, temporalTarget } from './open-process.ts';
import type { Running } from './open-process.ts';

/** Starts the HTTP API: listens when this resolves. `alsoReady` adds what else must serve for readiness. */
export async function runApi(config: Config, db: Database, logger: Logger, alsoReady: () => Promise<boolean> = async () => true): Promise<Running> {
  const temporal = await connectClient(temporalTarget(config));
  const isReady = async (): Promise<boolean> => (await isDatabaseServing(db)) && (await temporal.isServing()) && alsoReady();
  const app = await createApiApp({
    db, client: createReintegroClient({ client: temporal.client }), syncWaitMs: config.SYNC_WAIT_MS, logger, isReady,
    webhookPublicKeyPem: publicKey(config.CONEKTA_WEBHOOK_PUBLIC_KEY, config.CONEKTA_WEBHOOK_PUBLIC_KEY_FILE),
    gateway: { isConfigured: config.GATEWAY_BASE_URL !== undefined, webhookPublicKeyPem: publicKey(config.GATEWAY_WEBHOOK_PUBLIC_KEY, config.GATEWAY_WEBHOOK_PUBLIC_KEY_FILE) },
    orders: {
      baseUrl: config.CONEKTA_BASE_URL, timeoutMs: config.CONEKTA_TIMEOUT_MS,
      credentialOf: (merchantId, provider) => config.ORDER_CREDENTIALS[merchantId]?.[provider],
    },
  });
  await app.listen({ host: config.HOST, port: config.PORT });
  return {
    isReady,
    failed: new Promise<never>(() => undefined),
    stop: async () => {
      await app.close();
      await temporal.close();
    },
  };
}

/** A provider's webhook key: the file's, if one is named. */
function publicKey(pem: string | undefined, file: string | undefined): string | undefined {
  return file === undefined ? pem : readFileSync(file, 'utf8');
}
