import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_CREDENTIALS, saveDemoMerchants } from '../../src/cli/demo-merchants.ts';
import { waitUntilServing } from '../../src/cli/wait-until-serving.ts';
import { findFreePort } from '../../src/embedded/port-check.ts';
import { loadOrCreateWebhookKey } from '../../src/sandbox/webhook-key.ts';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { startNodeProgram } from './processes.ts';
import type { Program } from './processes.ts';
import { devServer } from './temporal-servers.ts';
import type { DevServer, DevServerOptions } from './temporal-servers.ts';

/** The shipped executable, as sources. */
export const EXECUTABLE = join(import.meta.dirname, '../../src/bin/reintegro.ts');

/** How the product under test is laid out. */
export interface ProductOptions {
  /** A PostgreSQL database; without it the embedded one, with API and worker in one process. */
  readonly databaseUrl?: string;
  readonly apis?: number;
  /** Worker processes; only with `databaseUrl`. */
  readonly workers?: number;
  /** The product's own program; the executable as sources when omitted. */
  readonly executable?: string;
  /** The program that the worker processes run, with the worker's settings; the product's own when omitted. */
  readonly workerProgram?: string;
  /** Settings on top of the ones for tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings of the Temporal server's dynamic configuration. */
  readonly temporalConfig?: DevServerOptions['dynamicConfig'];
}

/** One process of the product that can be killed and started again with the same settings. */
export interface Part {
  /** The process that runs now. */
  readonly program: Program;
  readonly url: string;
  /** Starts it again once it has ended, and waits until it serves. */
  restart(): Promise<void>;
}

/** The running product: real processes, a real Temporal server, the sandbox. */
export interface Product {
  /** The Temporal server that runs now. */
  readonly temporal: DevServer;
  /** Starts the Temporal server again on its file and port, after `temporal.kill9()`. */
  restartTemporal(): Promise<void>;
  readonly sandbox: Part;
  /** API processes; in the embedded layout the one process that is API and worker. */
  readonly apis: readonly Part[];
  readonly workers: readonly Part[];
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts the shipped executables, as compose or `npm start` would, with short provider delays. When a part does not start, those that did are
 * stopped again.
 */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reintegro-product-'));
  const undo: Undo = [() => rm(dataDir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return Object.assign(await startParts(options, dataDir, undo), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What takes back what was started so far, in order. */
type Undo = (() => Promise<void>)[];

async function startParts(options: ProductOptions, dataDir: string, undo: Undo): Promise<Omit<Product, 'stop'>> {
  const embedded = options.databaseUrl === undefined;
  if (options.databaseUrl !== undefined) await prepareDatabase(options.databaseUrl);
  const temporal = await startTemporal({ dbFile: join(dataDir, 'temporal.sqlite'), ...(options.temporalConfig === undefined ? {} : { dynamicConfig: options.temporalConfig }) }, undo);
  const [sandboxPort, ...apiPorts] = await freePorts(1 + (options.apis ?? 1));
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const webhookKey = loadOrCreateWebhookKey(join(dataDir, 'sandbox')).publicKeyPem;
  const settings = {
    HOST: '127.0.0.1', DATA_DIR: dataDir, SANDBOX_PORT: String(sandboxPort), TEMPORAL_ADDRESS: temporal.current.address, CONEKTA_BASE_URL: sandboxUrl,
    GATEWAY_BASE_URL: `${sandboxUrl}/api/v2`, ...paceOf(options.settings), LOG_LEVEL: 'info', PATH: process.env['PATH'] ?? '',
    PROVIDER_CREDENTIALS: JSON.stringify(DEMO_CREDENTIALS), ORDER_CREDENTIALS: JSON.stringify(DEMO_CREDENTIALS),
    CONEKTA_WEBHOOK_PUBLIC_KEY: webhookKey, GATEWAY_WEBHOOK_PUBLIC_KEY: webhookKey,
    SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${apiPorts[0]}/webhooks/conekta`, SANDBOX_GATEWAY_WEBHOOK_URL: `http://127.0.0.1:${apiPorts[0]}/webhooks/gateway`,
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }), ...options.settings,
  };
  const start = (args: readonly string[], portVariable: string, port: number, healthPath: string, own: Readonly<Record<string, string>> = {}, file = options.executable ?? EXECUTABLE): Promise<Part> =>
    startPart({ file, args, env: { ...settings, ...own, [portVariable]: String(port) }, url: `http://127.0.0.1:${port}`, healthPath }, undo);
  const sandbox = await start(['sandbox'], 'SANDBOX_PORT', Number(sandboxPort), '/sandbox/health');
  const workerPorts = embedded ? [] : await freePorts(options.workers ?? 1);
  const startApi = (port: number): Promise<Part> => (embedded
    // A folder that is not there yet: the program makes it.
    ? start(['serve', '--demo'], 'PORT', port, '/health/ready', { DATA_DIR: join(dataDir, 'records') })
    : start(['api'], 'PORT', port, '/health/ready'));
  const parts = await allStarted([
    ...apiPorts.map(startApi),
    ...workerPorts.map((port) => start(['worker'], 'WORKER_HEALTH_PORT', port, '/health/ready', {}, options.workerProgram)),
  ]);
  return {
    get temporal() {
      return temporal.current;
    },
    restartTemporal: () => temporal.restart(),
    sandbox, apis: parts.slice(0, apiPorts.length), workers: parts.slice(apiPorts.length), apiUrl: parts[0]?.url ?? '', sandboxUrl,
  };
}

/** How long the providers are waited for: the same for both, by what is said of Conekta. */
function paceOf({ CONEKTA_TIMEOUT_MS = '2000', CONEKTA_SETTLE_DELAY_MS = '1500' }: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { CONEKTA_TIMEOUT_MS, CONEKTA_SETTLE_DELAY_MS, GATEWAY_TIMEOUT_MS: CONEKTA_TIMEOUT_MS, GATEWAY_SETTLE_DELAY_MS: CONEKTA_SETTLE_DELAY_MS };
}

async function freePorts(count: number): Promise<number[]> {
  return [...new Set(await Promise.all(Array.from({ length: count }, () => findFreePort())))];
}

/** Waits for all of them, so that none is still starting when a failure of another is reported. */
async function allStarted(starting: readonly Promise<Part>[]): Promise<readonly Part[]> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

async function startTemporal(options: DevServerOptions, undo: Undo): Promise<{ readonly current: DevServer; restart(): Promise<void> }> {
  let current = await devServer(options);
  undo.push(() => current.stop());
  return {
    get current() {
      return current;
    },
    async restart() {
      current = await devServer({ ...options, port: current.port });
    },
  };
}

async function prepareDatabase(url: string): Promise<void> {
  const db = openDatabase({ kind: 'postgres', url, poolSize: 1 });
  await migrate(db);
  await saveDemoMerchants(db);
  await db.destroy();
}

interface PartSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly healthPath: string;
}

async function startPart({ file, args, env, url, healthPath }: PartSpec, undo: Undo): Promise<Part> {
  let program = await startNodeProgram(file, args, { env });
  undo.push(() => program.stop());
  const serving = async (): Promise<void> => {
    const watched = program;
    const gone = new AbortController();
    void watched.exited.then(() => gone.abort(new Error(`${args.join(' ')} ended:\n${watched.lines().join('\n')}`)));
    await waitUntilServing(`${url}${healthPath}`, gone.signal);
  };
  await serving();
  return {
    get program() {
      return program;
    },
    url,
    async restart() {
      program = await startNodeProgram(file, args, { env });
      await serving();
    },
  };
}
