import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { isAlive, processIdentity, type ProcessIdentity } from './process-identity.ts';
import { isErrorCode } from './system-error.ts';

/** A lock held by this process; it dies with the process, even by kill -9. */
export interface ProcessLock {
  readonly held: true;
  release(): Promise<void>;
}

/** Says which live process has the lock. */
export interface LockHolder {
  readonly held: false;
  readonly pid: number;
}

/**
 * Takes the lock kept in `file`, or says who has it. A lock whose process is gone is taken over.
 * The holder is recorded by pid and start time, so a reused pid never keeps a dead lock alive.
 */
export async function acquireProcessLock(file: string): Promise<ProcessLock | LockHolder> {
  await mkdir(dirname(file), { recursive: true });
  const own = await processIdentity(process.pid);
  if (own === undefined) throw new Error(`This process (${process.pid}) cannot be found in the process table.`);
  for (;;) {
    if (await createWithContent(file, JSON.stringify(own))) {
      return { held: true, release: () => rm(file, { force: true }) };
    }
    const holder = await readIdentity(file);
    if (holder === undefined) continue;
    if (holder !== 'unreadable' && (await isAlive(holder))) return { held: false, pid: holder.pid };
    await removeStale(file, holder);
  }
}

/** Reads a recorded identity; undefined when there is no file, `unreadable` when it is not one of ours. */
export async function readIdentity(file: string): Promise<ProcessIdentity | 'unreadable' | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  return parseIdentity(text) ?? 'unreadable';
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A file cut short by a full disk names nobody; the caller treats it as such.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startMark' in value)) return undefined;
  const { pid, startMark } = value;
  return typeof pid === 'number' && typeof startMark === 'string' ? { pid, startMark } : undefined;
}

/** Creates the file whole or not at all: a plain exclusive open could be seen while still empty. */
async function createWithContent(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, content);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (isErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Moves a dead lock aside; should another process have replaced it meanwhile, its lock is put back. */
async function removeStale(file: string, seen: ProcessIdentity | 'unreadable'): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const moved = await readIdentity(aside);
    if (JSON.stringify(moved) === JSON.stringify(seen)) return;
    await link(aside, file);
  } catch (error) {
    if (!isErrorCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
