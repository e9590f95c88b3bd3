import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TestWorkflowEnvironment } from '@temporalio/testing';

import { findFreePort } from '../../src/embedded/port-check.ts';
import { signalIfAlive } from '../../src/embedded/process-identity.ts';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { temporalCliPath, temporalTestServerPath } from './temporal-programs.ts';

/** How often a server may be started: the SDK gives a Java program five seconds, which is short on a busy machine. */
const STARTS = 6;

/** Starts a server again that failed by what a busy machine does: too slow, or a port that it chose was taken meanwhile, which it may answer by a panic. */
async function startPatiently<T>(start: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await start();
    } catch (error) {
      if (count === STARTS || !/did not start within|address already in use|panic:/.test(String(error))) throw error;
      console.warn(`Started again: ${String(error)}`);
    }
  }
}

/** A Temporal server that skips over waiting time; the caller tears it down. */
export function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  return startPatiently(() => TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: temporalTestServerPath() } } }));
}

/** A real Temporal server of a test, with the settings of the embedded one. */
export interface DevServer {
  readonly pid: number;
  /** host:port, the same after a restart. */
  readonly address: string;
  readonly port: number;
  readonly dbFile: string;
  stop(): Promise<void>;
  /** Kills it without warning; its database file stays for a restart. */
  kill9(): Promise<void>;
}

/** What a test may choose; the rest is temporary. */
export interface DevServerOptions {
  /** An existing file continues its life; when omitted, a temporary one that goes with `stop`. */
  readonly dbFile?: string;
  readonly port?: number;
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Settings of the server's dynamic configuration. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
}

/** Starts a real Temporal server without Web UI on loopback. */
export async function devServer(options: DevServerOptions = {}): Promise<DevServer> {
  const directory = await mkdtemp(join(tmpdir(), 'reintegro-temporal-'));
  const dbFile = options.dbFile ?? join(directory, 'temporal.db');
  const port = options.port ?? (await findFreePort());
  const server = await startPatiently(() => startTemporalServer({
    cliPath: temporalCliPath(),
    dbFile,
    port,
    uiPort: 0,
    headless: true,
    logFile: join(directory, 'temporal.log'),
    ...(options.searchAttributes === undefined ? {} : { searchAttributes: options.searchAttributes }),
    ...(options.dynamicConfig === undefined ? {} : { dynamicConfig: options.dynamicConfig }),
  }));
  return {
    pid: server.pid,
    address: server.address,
    port,
    dbFile,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
    async kill9() {
      signalIfAlive(server.pid, 'SIGKILL');
      await server.exited;
      // Only the log is in there when the database is the caller's.
      if (options.dbFile !== undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}
