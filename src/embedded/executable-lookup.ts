import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Whether this path is a file that the present user may run. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Missing, a broken link, or closed to us: all the same to somebody who wants to run it.
    return false;
  }
}

/** First executable of this name in the directories of a PATH variable; relative entries are skipped. */
export async function findOnPath(name: string, pathVariable: string | undefined): Promise<string | undefined> {
  for (const directory of (pathVariable ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const candidate = join(directory, name);
    if (await isExecutableFile(candidate)) return candidate;
  }
  return undefined;
}

/** First executable file anywhere under a directory, or undefined. */
export async function findExecutableUnder(directory: string): Promise<string | undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (await isExecutableFile(path)) return path;
  }
  return undefined;
}
