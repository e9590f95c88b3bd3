import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startNodeProgram } from '../support/processes.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUILD = join(ROOT, 'scripts/build.ts');
/** What the build output is made of. */
const SOURCES = ['src', 'workflows', 'activities', 'scripts/build.ts', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];

/** The product as it is shipped. */
export interface ShippedBuild {
  /** What the image runs. */
  readonly executable: string;
  /** The Workflow code that its workers load. */
  readonly bundlePath: string;
}

const SHIPPED: ShippedBuild = { executable: join(ROOT, 'dist/src/bin/reintegro.js'), bundlePath: join(ROOT, 'dist/workflow-bundle.js') };

/** Gives what `npm run build` makes, and makes it when the sources are newer. @throws Error with the output of the build when it fails */
export async function shippedBuild(say: (line: string) => void): Promise<ShippedBuild> {
  const sources = await Promise.all(SOURCES.map((path) => newestOf(join(ROOT, path))));
  // The bundle is what a build writes last.
  const builtAt = await stat(SHIPPED.bundlePath).then(({ mtimeMs }) => mtimeMs, () => 0);
  if (builtAt > Math.max(...sources)) return SHIPPED;
  say('building dist/');
  const build = await startNodeProgram(BUILD);
  const { code } = await build.exited;
  await build.outputEnded;
  if (code !== 0) throw new Error(`dist/ could not be built:\n${build.lines().join('\n')}`);
  return SHIPPED;
}

/** When a file, or anything in a folder, was last changed; a folder is changed by what goes from it, too. Milliseconds. */
async function newestOf(path: string): Promise<number> {
  const { mtimeMs } = await stat(path);
  const below = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const times = await Promise.all(below.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs));
  return Math.max(mtimeMs, ...times);
}
