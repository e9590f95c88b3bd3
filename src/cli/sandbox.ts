import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { createSandboxApp } from '../sandbox/app.ts';
import { loadOrCreateWebhookKey } from '../sandbox/webhook-key.ts';
import { runUntilStopped } from './run-until-stopped.ts';

/** `reintegro sandbox`: the server that imitates providers, on HOST:SANDBOX_PORT, with its state in DATA_DIR/sandbox. */
export async function sandboxCommand(config: Config): Promise<void> {
  const folder = join(resolve(config.DATA_DIR), 'sandbox');
  mkdirSync(folder, { recursive: true });
  const { privateKeyPem } = loadOrCreateWebhookKey(folder);
  const app = await createSandboxApp({
    databasePath: join(folder, 'sandbox.sqlite'), confirmationWindowMs: config.CONFIRMATION_WINDOW_SECONDS * 1000,
    gatewayWebhook: config.SANDBOX_GATEWAY_WEBHOOK_URL === undefined ? undefined : { url: config.SANDBOX_GATEWAY_WEBHOOK_URL, privateKeyPem },
    webhook: config.SANDBOX_WEBHOOK_URL === undefined ? undefined : { url: config.SANDBOX_WEBHOOK_URL, privateKeyPem },
  });
  await app.listen({ host: config.HOST, port: config.SANDBOX_PORT });
  console.log(`sandbox is serving on http://${config.HOST}:${config.SANDBOX_PORT}`);
  await runUntilStopped([{ isReady: async () => true, failed: new Promise<never>(() => undefined), stop: () => app.close() }], async () => undefined);
}
