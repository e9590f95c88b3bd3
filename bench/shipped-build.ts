import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const BUNDLE = join(ROOT, 'dist/workflow-bundle.js');
const INGREDIENTS = ['{src,workflows,activities}/**/*.ts', 'package-lock.json', 'tsconfig.build.json', 'scripts/build.ts'];

/** The executable as it is shipped: compiled, with the Workflow bundle beside it. */
export const SHIPPED = join(ROOT, 'dist/src/bin/reintegro.js');

/** The same executable as sources. */
export const FROM_SOURCES = join(ROOT, 'src/bin/reintegro.ts');

/** Builds what is shipped, unless it was built of the sources as they are now. @throws Error when it cannot be built */
export function buildIfStale(say: (line: string) => void): void {
  const built = statSync(BUNDLE, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newest = Math.max(...globSync(INGREDIENTS, { cwd: ROOT }).map((path) => statSync(join(ROOT, path)).mtimeMs));
  if (built > newest) return;
  say('npm run build');
  const { status, error } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`the build ended with status ${status ?? 'none'}`);
}
