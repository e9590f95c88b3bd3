import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { endProcess, isAlive, processIdentity } from './process-identity.ts';
import { readIdentity } from './process-lock.ts';

const LEFTOVER_GRACE_MS = 5_000;
const SUFFIX = '.json';

/** Writes down which process runs under a name, so that a later run can find it should this one be killed. */
export async function recordRun(runDirectory: string, name: string, pid: number, command: readonly string[]): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return;
  await mkdir(runDirectory, { recursive: true });
  const record = { ...identity, name, startedAt: new Date().toISOString(), command };
  const file = join(runDirectory, `${name}${SUFFIX}`);
  await writeFile(`${file}.draft`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.draft`, file);
}

/** Forgets a process that has ended. */
export async function forgetRun(runDirectory: string, name: string): Promise<void> {
  await rm(join(runDirectory, `${name}${SUFFIX}`), { force: true });
}

/**
 * Ends what an earlier run left behind when it was killed, and resolves when all of it is gone and its ports are free.
 * A process is ours only if pid and kernel start time are both as recorded: a reused pid is never signalled.
 */
export async function endLeftovers(runDirectory: string, print: (line: string) => void): Promise<void> {
  await mkdir(runDirectory, { recursive: true });
  const files = (await readdir(runDirectory)).filter((name) => name.endsWith(SUFFIX));
  await Promise.all(
    files.map(async (fileName) => {
      const file = join(runDirectory, fileName);
      const recorded = await readIdentity(file);
      if (recorded !== undefined && recorded !== 'unreadable' && (await isAlive(recorded))) {
        print(`Stopping ${basename(fileName, SUFFIX)} (process ${recorded.pid}), left over from an earlier run…`);
        await endProcess(recorded, LEFTOVER_GRACE_MS);
      }
      await rm(file, { force: true });
    }),
  );
}
