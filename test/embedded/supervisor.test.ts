import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ChildSpec } from '../../src/embedded/launched-process.ts';
import { findFreePort, requireFreePorts } from '../../src/embedded/port-check.ts';
import { isAlive, processIdentity, signalIfAlive, type ProcessIdentity } from '../../src/embedded/process-identity.ts';
import { endLeftovers } from '../../src/embedded/run-files.ts';
import { StartupError } from '../../src/embedded/startup-error.ts';
import { createSupervisor, type Supervisor } from '../../src/embedded/supervisor.ts';
import { startNodeProgram, type Program } from '../support/processes.ts';

const CHILD = fileURLToPath(new URL('./fixtures/child.ts', import.meta.url));
const STACK = fileURLToPath(new URL('./fixtures/stack.ts', import.meta.url));
const PATIENCE = { timeout: 20_000, interval: 25 };
let dataDir: string;
let lines: string[];
let supervisors: Supervisor[];
let programs: Program[];
let strays: number[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'reintegro-stack-'));
  lines = [];
  supervisors = [];
  programs = [];
  strays = [];
});
afterEach(async () => {
  for (const supervisor of supervisors) {
    supervisor.killAll();
    await supervisor.stop();
  }
  for (const program of programs) await program.kill9();
  for (const pid of strays) signalIfAlive(pid, 'SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

async function supervise(): Promise<Supervisor> {
  const supervisor = await createSupervisor({ dataDir, print: (line) => lines.push(line) });
  supervisors.push(supervisor);
  return supervisor;
}

function child(name: string, changes: Partial<ChildSpec> = {}, args: readonly string[] = []): ChildSpec {
  return { name, command: process.execPath, args: [CHILD, ...args], restart: true, ...changes };
}

async function stack(...children: readonly ChildSpec[]): Promise<Program> {
  const program = await startNodeProgram(STACK, [dataDir, JSON.stringify(children)]);
  programs.push(program);
  await program.waitForLine(/^ready$/);
  return program;
}

async function pidOf(program: Program, name: string): Promise<ProcessIdentity> {
  const line = await program.waitForLine(new RegExp(`^${name} \\| up `));
  const identity = await processIdentity(Number(line.split(' ').at(-1)));
  if (identity === undefined) throw new Error(`${name} does not run`);
  strays.push(identity.pid);
  return identity;
}

const ups = (name: string): readonly string[] => lines.filter((line) => line.startsWith(`${name} | up `));

describe('createSupervisor', () => {
  it('should start a child again, as a new process, when it was killed (D1)', async () => {
    const supervisor = await supervise();
    await supervisor.start(child('app'));
    await expect.poll(() => ups('app').length, PATIENCE).toBe(1);
    const first = supervisor.pidOf('app') ?? 0;
    process.kill(first, 'SIGKILL');
    await expect.poll(() => ups('app').length, PATIENCE).toBe(2);
    expect(supervisor.pidOf('app')).not.toBe(first);
    expect(ups('app')[1]).toBe(`app | up ${supervisor.pidOf('app')}`);
  });

  it('should stop the children in reverse order and leave none behind (D1)', async () => {
    const supervisor = await supervise();
    for (const name of ['temporal', 'sandbox', 'app']) {
      await supervisor.start(child(name, { ready: () => expect.poll(() => ups(name).length, PATIENCE).toBe(1) }));
    }
    await supervisor.stop();
    await expect.poll(() => lines.filter((line) => line.endsWith('| closed')), PATIENCE).toEqual(['app | closed', 'sandbox | closed', 'temporal | closed']);
    await expect(supervisor.ended).resolves.toEqual({ kind: 'stopped' });
    expect(['temporal', 'sandbox', 'app'].map((name) => supervisor.pidOf(name)).filter((pid) => pid !== undefined)).toEqual([]);
  });

  it('should stop the rest when a child that is not restarted ends', async () => {
    const supervisor = await supervise();
    await supervisor.start(child('temporal'));
    await supervisor.start(child('app', { restart: false }));
    process.kill(supervisor.pidOf('app') ?? 0, 'SIGKILL');
    await expect(supervisor.ended).resolves.toEqual({ kind: 'child_gone', name: 'app', how: 'SIGKILL' });
    expect(supervisor.pidOf('temporal')).toBeUndefined();
  });

  it('should refuse a child that dies before it is ready, with the end of its log', async () => {
    const supervisor = await supervise();
    const logFile = join(dataDir, 'logs', 'temporal.log');
    const broken: ChildSpec = {
      name: 'temporal',
      command: process.execPath,
      args: ['-e', 'console.error("the database is locked"); process.exit(3)'],
      restart: true,
      logFile,
      ready: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gave up')))),
    };
    await expect(supervisor.start(broken)).rejects.toThrow(/^temporal ended while starting \(code 3\)[\s\S]*the database is locked/);
  });

  it('should end what a run killed with -9 left behind, so that its port is free again (D1)', async () => {
    const port = await findFreePort();
    const killed = await stack(child('temporal', {}, ['--port', String(port)]), child('app', { ipc: true }));
    const temporal = await pidOf(killed, 'temporal');
    const app = await pidOf(killed, 'app');
    await killed.kill9();
    await expect.poll(() => isAlive(app), PATIENCE).toBe(false);
    expect(await isAlive(temporal)).toBe(true);
    await supervise();
    expect(await isAlive(temporal)).toBe(false);
    await requireFreePorts([{ port, variable: 'TEMPORAL_PORT' }]);
    expect(lines.join('\n')).toContain(`Stopping temporal (process ${temporal.pid}), left over from an earlier run`);
  });

  it('should refuse a data directory that another live stack uses, and take it once that one is gone (D1)', async () => {
    const other = await stack(child('app'));
    await pidOf(other, 'app');
    const second = createSupervisor({ dataDir, print: () => undefined });
    await expect(second).rejects.toThrow(StartupError);
    await expect(second).rejects.toThrow(new RegExp(`process ${other.pid}.*DATA_DIR`));
    await other.kill9();
    await supervise();
  });

  it('should give the data directory to one of many that start at the same moment on a dead lock', async () => {
    await mkdir(join(dataDir, 'run'));
    await writeFile(join(dataDir, 'run', 'supervisor.lock'), JSON.stringify({ pid: process.pid, startMark: 'of another life' }));
    const outcomes = await Promise.allSettled([supervise(), supervise(), supervise(), supervise()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('endLeftovers', () => {
  it('should never signal a process that merely inherited a recorded pid', async () => {
    const innocent = await startNodeProgram(CHILD);
    programs.push(innocent);
    await innocent.waitForLine(/^up /);
    const file = join(dataDir, 'app.json');
    await writeFile(file, JSON.stringify({ pid: innocent.pid, startMark: 'of another life' }));
    await endLeftovers(dataDir, (line) => lines.push(line));
    expect(lines).toEqual([]);
    expect(await processIdentity(innocent.pid)).toBeDefined();
    await expect(access(file)).rejects.toThrow();
  });
});

describe('onShutdownSignal', () => {
  it('should stop in good order when one Ctrl-C arrives twice, as it does under npm (D1)', async () => {
    const program = await stack(child('app'));
    await pidOf(program, 'app');
    program.signal('SIGINT');
    program.signal('SIGINT');
    await program.waitForLine(/^ended \{"kind":"stopped"\}$/);
    expect(program.lines()).toContain('app | closed');
    expect(program.lines()).not.toContain('killing');
  });

  it('should kill a child that ignores the first request at the second (D1)', async () => {
    const program = await stack(child('app', {}, ['--stubborn']));
    const app = await pidOf(program, 'app');
    program.signal('SIGINT');
    await program.waitForLine(/^stopping$/);
    await expect
      .poll(() => {
        program.signal('SIGINT');
        return program.lines().includes('killing');
      }, PATIENCE)
      .toBe(true);
    await program.waitForLine(/^ended /);
    expect(await isAlive(app)).toBe(false);
  });
});
