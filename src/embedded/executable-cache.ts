import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { isExecutableFile } from './executable-lookup.ts';
import { acquireProcessLock, type ProcessLock } from './process-lock.ts';
import { withProgress, type ProgressListener } from './progress.ts';

const LOCK_POLL_MS = 250;

/** One way to get a program, tried when the cache lacks it. */
export interface ExecutableSource {
  /** Named in the error when every source failed. */
  readonly name: string;
  /** Puts the program, with all it needs to run, into an empty folder that will be moved into the cache as a whole. */
  readonly install: (draftDirectory: string) => Promise<void>;
}

/** A program in the cache, `<cacheDir>/<entry>/<file>`, and the ways to get it, in order. */
export interface CachedExecutable {
  readonly cacheDir: string;
  /** Folder named after the program and its version, so that a newer pin never meets an older file. */
  readonly entry: string;
  readonly file: string;
  readonly sources: readonly ExecutableSource[];
  readonly onProgress: ProgressListener;
}

/** The path of the program, or why no source could give it. */
export type CachedExecutableResult = { readonly path: string } | { readonly problems: readonly string[] };

/**
 * Gives a program from the cache, filling the cache first when needed.
 * Safe for any number of processes at once, and for kill -9 at any point: one fills, the others wait,
 * and a folder enters the cache by a single rename.
 */
export async function provideCachedExecutable(wanted: CachedExecutable): Promise<CachedExecutableResult> {
  const path = join(wanted.cacheDir, wanted.entry, wanted.file);
  if (await isExecutableFile(path)) return { path };
  await mkdir(wanted.cacheDir, { recursive: true });
  const lock = await waitForLock(wanted, path);
  if (lock === 'filled by another process') return { path };
  try {
    return await fillCache(wanted, path);
  } finally {
    await lock.release();
  }
}

async function waitForLock(wanted: CachedExecutable, path: string): Promise<ProcessLock | 'filled by another process'> {
  const lockFile = join(wanted.cacheDir, `${wanted.entry}.lock`);
  const first = await acquireProcessLock(lockFile);
  if (first.held) return first;
  return await withProgress(
    (elapsed) => `Waiting for another process (${first.pid}) that is getting ${wanted.entry} (${elapsed} so far)…`,
    wanted.onProgress,
    async () => {
      for (;;) {
        await delay(LOCK_POLL_MS);
        if (await isExecutableFile(path)) return 'filled by another process';
        const lock = await acquireProcessLock(lockFile);
        if (lock.held) return lock;
      }
    },
  );
}

async function fillCache(wanted: CachedExecutable, path: string): Promise<CachedExecutableResult> {
  // The last holder may have finished between our look and our lock.
  if (await isExecutableFile(path)) return { path };
  await removeAbandonedDrafts(wanted);
  const problems: string[] = [];
  for (const source of wanted.sources) {
    const draft = await mkdtemp(join(wanted.cacheDir, draftPrefix(wanted)));
    try {
      await source.install(draft);
      if (!(await isExecutableFile(join(draft, wanted.file)))) throw new Error(`it brought no program named ${wanted.file}`);
      await rm(join(wanted.cacheDir, wanted.entry), { recursive: true, force: true });
      await rename(draft, join(wanted.cacheDir, wanted.entry));
      return { path };
    } catch (error) {
      problems.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return { problems };
}

/** Drafts of processes killed on the way; nobody else makes drafts while we hold the lock. */
async function removeAbandonedDrafts(wanted: CachedExecutable): Promise<void> {
  for (const name of await readdir(wanted.cacheDir)) {
    if (name.startsWith(draftPrefix(wanted))) await rm(join(wanted.cacheDir, name), { recursive: true, force: true });
  }
}

function draftPrefix(wanted: CachedExecutable): string {
  return `${wanted.entry}.draft-`;
}
