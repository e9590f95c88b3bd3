import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';

import { signalIfAlive } from './process-identity.ts';

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
const CALL_TIMEOUT_MS = 2_000;
const STOP_GRACE_MS = 10_000;
/** Of a log that is longer, so much of its beginning and of its end: a panic says its reason first, and ends with a long list of calls. */
const LOG_PART_CHARACTERS = 1_500;
const NAMESPACE = 'default';
const LOOPBACK = '127.0.0.1';

/**
 * The stock development server waits up to 50 ms per task (20 polls per second and shard); with these settings one
 * disk does 59 instead of 33 Workflows per second, at 21 ms instead of 150. A Workflow Task that workers lost several times in a
 * row is given to the next one after seconds: the stock server keeps it from them for up to ten minutes.
 */
const TUNING = [
  ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
  ['--dynamic-config-value', 'history.workflowTaskRetryMaxInterval="5s"'],
  ['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
  ['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
  ['--sqlite-pragma', 'journal_mode=WAL'],
].flat();

/** What the embedded Temporal server needs to know. */
export interface TemporalServerOptions {
  readonly cliPath: string;
  /** SQLite file that survives restarts; created when missing, its folder must exist. */
  readonly dbFile: string;
  readonly port: number;
  /** Port of the Temporal Web UI; of no use when `headless`. */
  readonly uiPort: number;
  /** Address to listen on; loopback unless told otherwise. */
  readonly ip?: string;
  readonly headless?: boolean;
  /** Names and types (`Keyword`, `Int`, `Bool`, …) of search attributes to register at start. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Further settings of the server's dynamic configuration; values are JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
}

/** A running Temporal server. */
export interface TemporalServer {
  readonly pid: number;
  /** host:port of its gRPC API. */
  readonly address: string;
  /** Resolves with how it ended, whoever ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Stops it in good order; after 10 s by force. */
  stop(): Promise<void>;
}

/** The command line of the embedded Temporal server, for whoever wants to run and watch it himself. */
export function temporalServerCommand(options: TemporalServerOptions): { readonly command: string; readonly args: readonly string[] } {
  const listen = ['--ip', options.ip ?? LOOPBACK, '--port', String(options.port)];
  const ui = options.headless === true ? ['--headless'] : ['--ui-port', String(options.uiPort)];
  const searchAttributes = Object.entries(options.searchAttributes ?? {}).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]);
  const dynamicConfig = Object.entries(options.dynamicConfig ?? {}).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]);
  return {
    command: options.cliPath,
    args: ['server', 'start-dev', ...listen, ...ui, '--db-filename', options.dbFile, '--log-level', 'error', ...TUNING, ...dynamicConfig, ...searchAttributes],
  };
}

/**
 * Waits until a Temporal server accepts calls and its `default` namespace answers.
 * Rejects when `signal` is aborted or after 60 s, with the last failure as its cause.
 */
export async function waitForTemporalServer(address: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  let cause: unknown;
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    try {
      // A gRPC channel that was refused once backs off for a second and more: knock by plain TCP first.
      await knock(address);
      await describeNamespace(address);
      return;
    } catch (error) {
      cause = error;
      await delay(READY_POLL_MS);
    }
  }
  throw new Error(`The Temporal server at ${address} does not answer after ${READY_TIMEOUT_MS / 1000} s.`, { cause });
}

/** Starts the embedded Temporal server and waits until it serves; rejects with what it logged when it dies before. */
export async function startTemporalServer(options: TemporalServerOptions & { readonly logFile: string }): Promise<TemporalServer> {
  const address = `${options.ip ?? LOOPBACK}:${options.port}`;
  const { command, args } = temporalServerCommand(options);
  const { child, exited, logStart } = await spawnInto(command, args, options.logFile);
  const died = new AbortController();
  void exited.then(() => died.abort());
  try {
    await waitForTemporalServer(address, died.signal);
    // Another server on this port would have answered as well.
    died.signal.throwIfAborted();
  } catch (error) {
    // Asked before we stop it ourselves.
    const what = died.signal.aborted ? 'ended while starting' : 'did not start';
    await stopChild(child, exited);
    throw new Error(`The Temporal server ${what}. In ${options.logFile}:\n${await readLog(options.logFile, logStart)}`, { cause: error });
  }
  return { pid: child.pid ?? 0, address, exited, stop: () => stopChild(child, exited) };
}

async function spawnInto(
  command: string,
  args: readonly string[],
  logFile: string,
): Promise<{ child: ChildProcess; exited: TemporalServer['exited']; logStart: number }> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a');
  try {
    const { size: logStart } = await log.stat();
    const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd] });
    await once(child, 'spawn');
    const exited: TemporalServer['exited'] = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    return { child, exited, logStart };
  } finally {
    await log.close();
  }
}

/** What a server has logged since it was started, shortened in the middle. */
async function readLog(logFile: string, logStart: number): Promise<string> {
  const text = (await readFile(logFile)).subarray(logStart).toString().trim();
  if (text.length <= 2 * LOG_PART_CHARACTERS) return text;
  return `${text.slice(0, LOG_PART_CHARACTERS)}\n…\n${text.slice(-LOG_PART_CHARACTERS)}`;
}

async function stopChild(child: ChildProcess, exited: TemporalServer['exited']): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const { pid } = child;
  signalIfAlive(pid, 'SIGTERM');
  const force = setTimeout(() => signalIfAlive(pid, 'SIGKILL'), STOP_GRACE_MS);
  await exited;
  clearTimeout(force);
}

function knock(address: string): Promise<void> {
  const separator = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, separator), port: Number(address.slice(separator + 1)) });
    socket.setTimeout(CALL_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

async function describeNamespace(address: string): Promise<void> {
  // A proxy meant for the world outside must not be asked for a server of this machine.
  const channelArgs = { 'grpc.enable_http_proxy': 0 };
  const connection = await Connection.connect({ address, connectTimeout: CALL_TIMEOUT_MS, channelArgs });
  try {
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => connection.workflowService.describeNamespace({ namespace: NAMESPACE }));
  } finally {
    await connection.close();
  }
}
