import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { findOnPath, isExecutableFile } from '../../src/embedded/executable-lookup.ts';
import { findFreePort } from '../../src/embedded/port-check.ts';
import { startProgram, type Program } from './processes.ts';

const run = promisify(execFile);

/** Where Debian keeps the server programs, one folder per version, off PATH. */
const DEBIAN_ROOT = '/usr/lib/postgresql';
const UNPRIVILEGED_USER = 'postgres';

/** A throw-away PostgreSQL cluster of a test. */
export interface TestPostgres {
  readonly url: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** Stops it and deletes its data. */
  stop(): Promise<void>;
  /** Kills the postmaster without warning; its data stays for `restart`. */
  kill9(): Promise<void>;
  /** Starts again on the same data and port after `kill9`. */
  restart(): Promise<void>;
}

/** The variable that names the PostgreSQL which all test files of a run share. */
export const SHARED_POSTGRES = 'REINTEGRO_TEST_POSTGRES_URL';

/**
 * Starts a PostgreSQL of its own, with the durability of a real one (fsync on) and no password on loopback.
 * Gives null where PostgreSQL is not installed; on CI (CI=true) that is an error instead.
 */
export async function startPostgres(): Promise<TestPostgres | null> {
  const binaries = await findBinaries();
  if (binaries === undefined) {
    if (process.env['CI'] === 'true') throw new Error('PostgreSQL is not installed, and CI must test on it.');
    return null;
  }
  const cluster = await createCluster(binaries);
  const { directory } = cluster;
  const port = await findFreePort();
  const start = async (): Promise<Program> => {
    const started = await startProgram(...cluster.server(port), { cwd: directory });
    await started.waitForLine(/database system is ready to accept connections/);
    return started;
  };
  let program = await start();
  return {
    url: `postgres://${UNPRIVILEGED_USER}@127.0.0.1:${port}/postgres`,
    get pid() {
      return program.pid;
    },
    async stop() {
      // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
      program.signal('SIGINT');
      await program.exited;
      await rm(directory, { recursive: true, force: true });
    },
    async kill9() {
      await program.kill9();
      // Its children notice a little later, and until then the data cannot be opened again.
      await program.outputEnded;
    },
    async restart() {
      program = await start();
    },
  };
}

/** Makes an empty database in the cluster and gives its URL, so that test files can share one server. */
export async function createDatabase(server: Pick<TestPostgres, 'url'>, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(server.url);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

type CommandLine = readonly [command: string, args: readonly string[]];

/** Makes an empty cluster in a temporary directory and says how to run its server. */
async function createCluster(binaries: string): Promise<{ readonly directory: string; readonly server: (port: number) => CommandLine }> {
  const user = await clusterUser();
  const directory = await mkdtemp(join(tmpdir(), 'reintegro-postgres-'));
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  const asUser = (program: string, args: readonly string[]): CommandLine => {
    const path = join(binaries, program);
    return user === undefined ? [path, args] : ['setpriv', [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', path, ...args]];
  };
  const initdb = asUser('initdb', ['--pgdata', data, '--username', UNPRIVILEGED_USER, '--auth', 'trust', '--encoding', 'UTF8', '--no-sync']);
  await run(...initdb, { cwd: directory });
  return {
    directory,
    server: (port) => asUser('postgres', ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', directory, '-c', 'fsync=on']),
  };
}

async function findBinaries(): Promise<string | undefined> {
  const initdb = await findOnPath('initdb', process.env['PATH']);
  if (initdb !== undefined && (await isExecutableFile(join(initdb, '..', 'postgres')))) return join(initdb, '..');
  const versions = await readdir(DEBIAN_ROOT).catch(() => []);
  const newestFirst = versions.toSorted((left, right) => Number(right) - Number(left));
  for (const version of newestFirst) {
    const directory = join(DEBIAN_ROOT, version, 'bin');
    if ((await isExecutableFile(join(directory, 'initdb'))) && (await isExecutableFile(join(directory, 'postgres')))) return directory;
  }
  return undefined;
}

/** PostgreSQL refuses to run as root: then the cluster belongs to the package's own user. */
async function clusterUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, UNPRIVILEGED_USER])).stdout)));
  if (uid === undefined || gid === undefined) throw new Error(`There is no user ${UNPRIVILEGED_USER}.`);
  return { uid, gid };
}
