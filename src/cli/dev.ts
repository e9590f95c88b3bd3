import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { cacheDirectory } from '../embedded/cache-directory.ts';
import { requireFreePorts } from '../embedded/port-check.ts';
import { onShutdownSignal } from '../embedded/shutdown-signals.ts';
import { createSupervisor } from '../embedded/supervisor.ts';
import type { Supervisor } from '../embedded/supervisor.ts';
import { resolveTemporalCli } from '../embedded/temporal-cli.ts';
import { temporalServerCommand, waitForTemporalServer } from '../embedded/temporal-server.ts';
import { loadOrCreateWebhookKey } from '../sandbox/webhook-key.ts';
import { DEMO_CREDENTIALS } from './demo-merchants.ts';
import { readyMessage } from './ready-message.ts';
import { waitUntilServing } from './wait-until-serving.ts';

/** What `reintegro dev` takes from the environment besides the settings. */
export interface DevEnvironment {
  /** The whole environment, handed on to the children. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program that children are started with: this one. */
  readonly executable: string;
}

/** Sandbox answers are committed at once, so the embedded mode need not wait as long as production. */
const EMBEDDED_SETTLE_DELAY_MS = '3000';
const EMBEDDED_TIMEOUT_MS = '5000';

/** `reintegro dev`: Temporal server with Web UI, sandbox, API and Worker with the embedded database, as one tree (D1). */
export async function devCommand(config: Config, { env, executable }: DevEnvironment): Promise<void> {
  const dataDir = resolve(config.DATA_DIR);
  mkdirSync(join(dataDir, 'sandbox'), { recursive: true });
  const supervisor = await createSupervisor({ dataDir, print: (line) => console.log(line) });
  const stopListening = onShutdownSignal({
    graceful: () => {
      console.log('Stopping…');
      void supervisor.stop();
    },
    hard: () => {
      supervisor.killAll();
      process.exit(1);
    },
  });
  try {
    await startAll(supervisor, config, dataDir, env, executable);
    console.log(await readyMessage(config, dataDir));
    await supervisor.ended;
  } finally {
    await supervisor.stop();
    stopListening();
  }
}

async function startAll(supervisor: Supervisor, config: Config, dataDir: string, env: DevEnvironment['env'], executable: string): Promise<void> {
  await requireFreePorts([
    { port: config.PORT, variable: 'PORT' }, { port: config.SANDBOX_PORT, variable: 'SANDBOX_PORT' },
    ...(config.TEMPORAL_ADDRESS === undefined ? [{ port: config.TEMPORAL_PORT, variable: 'TEMPORAL_PORT' }, { port: config.TEMPORAL_UI_PORT, variable: 'TEMPORAL_UI_PORT' }] : []),
  ]);
  if (config.TEMPORAL_ADDRESS === undefined) await startTemporal(supervisor, config, dataDir, env);
  const sandboxUrl = `http://127.0.0.1:${config.SANDBOX_PORT}`;
  const apiUrl = `http://127.0.0.1:${config.PORT}`;
  const childEnv = {
    ...env, DATA_DIR: dataDir, TEMPORAL_ADDRESS: config.TEMPORAL_ADDRESS ?? `127.0.0.1:${config.TEMPORAL_PORT}`,
    CONEKTA_BASE_URL: env['CONEKTA_BASE_URL'] ?? sandboxUrl,
    CONEKTA_SETTLE_DELAY_MS: env['CONEKTA_SETTLE_DELAY_MS'] ?? EMBEDDED_SETTLE_DELAY_MS,
    CONEKTA_TIMEOUT_MS: env['CONEKTA_TIMEOUT_MS'] ?? EMBEDDED_TIMEOUT_MS,
    GATEWAY_BASE_URL: env['GATEWAY_BASE_URL'] ?? `${sandboxUrl}/api/v2`,
    GATEWAY_SETTLE_DELAY_MS: env['GATEWAY_SETTLE_DELAY_MS'] ?? EMBEDDED_SETTLE_DELAY_MS,
    GATEWAY_TIMEOUT_MS: env['GATEWAY_TIMEOUT_MS'] ?? EMBEDDED_TIMEOUT_MS,
    PROVIDER_CREDENTIALS: env['PROVIDER_CREDENTIALS'] ?? JSON.stringify(DEMO_CREDENTIALS),
    ORDER_CREDENTIALS: env['ORDER_CREDENTIALS'] ?? JSON.stringify(DEMO_CREDENTIALS),
    LOG_LEVEL: env['LOG_LEVEL'] ?? 'warn',
  };
  await supervisor.start({
    name: 'sandbox', command: process.execPath, args: [executable, 'sandbox'], restart: true, ipc: true,
    env: {
      ...childEnv, HOST: '127.0.0.1', SANDBOX_WEBHOOK_URL: env['SANDBOX_WEBHOOK_URL'] ?? `${apiUrl}/webhooks/conekta`,
      SANDBOX_GATEWAY_WEBHOOK_URL: env['SANDBOX_GATEWAY_WEBHOOK_URL'] ?? `${apiUrl}/webhooks/gateway`,
    },
    ready: (signal) => waitUntilServing(`${sandboxUrl}/sandbox/health`, signal),
  });
  const sandboxKey = loadOrCreateWebhookKey(join(dataDir, 'sandbox')).publicKeyPem;
  await supervisor.start({
    name: 'app', command: process.execPath, args: [executable, 'serve', '--demo'], restart: true, ipc: true,
    env: {
      ...childEnv, CONEKTA_WEBHOOK_PUBLIC_KEY: env['CONEKTA_WEBHOOK_PUBLIC_KEY'] ?? sandboxKey,
      GATEWAY_WEBHOOK_PUBLIC_KEY: env['GATEWAY_WEBHOOK_PUBLIC_KEY'] ?? sandboxKey,
    },
    ready: (signal) => waitUntilServing(`${apiUrl}/health/ready`, signal),
  });
}

async function startTemporal(supervisor: Supervisor, config: Config, dataDir: string, env: DevEnvironment['env']): Promise<void> {
  const cliPath = await resolveTemporalCli({
    explicitPath: config.TEMPORAL_CLI_PATH, pathVariable: env['PATH'], onProgress: (line) => console.log(line),
    cacheDir: cacheDirectory({ explicit: config.REINTEGRO_CACHE_DIR, xdgCacheHome: env['XDG_CACHE_HOME'], homeDirectory: homedir() }),
  });
  console.log('Starting Temporal, the sandbox, the API and the worker…');
  const { command, args } = temporalServerCommand({ cliPath, dbFile: join(dataDir, 'temporal.sqlite'), port: config.TEMPORAL_PORT, uiPort: config.TEMPORAL_UI_PORT });
  await supervisor.start({
    name: 'temporal', command, args: [...args], restart: true, logFile: join(dataDir, 'logs', 'temporal.log'),
    ready: (signal) => waitForTemporalServer(`127.0.0.1:${config.TEMPORAL_PORT}`, signal),
  });
}
