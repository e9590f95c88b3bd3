import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** All that a bundle is made of or by; the import table lets Workflows have nothing else, and the lock file names the SDK's version. */
const INGREDIENTS = ['workflows/**/*.ts', 'src/domain/**/*.ts', 'src/temporal/*.ts', 'package-lock.json'];

/**
 * The bundle of the sources below `top`, made by `build` only if no earlier start made it of the same sources: a Worker that runs from
 * sources starts in half the time then. A cache that cannot be used is done without: it saves time and nothing else.
 */
export async function bundleOnce(top: URL, build: () => Promise<{ readonly code: string }>): Promise<{ readonly code: string }> {
  const cache = new URL('node_modules/.cache/reintegro/', top);
  const file = new URL(`${await fingerprint(top)}.js`, cache);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return { code: kept };
  const built = await build();
  await keep(cache, file, built.code).catch(() => undefined);
  return built;
}

/** Writes the bundle whole or not at all, since another process may read it at any moment; those of older sources are of no use any more. */
async function keep(cache: URL, file: URL, code: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (const old of globSync('*.js', { cwd: fileURLToPath(cache) })) await rm(new URL(old, cache), { force: true });
  const part = new URL(`${process.pid}.part`, cache);
  await writeFile(part, code);
  await rename(part, file);
}

async function fingerprint(top: URL): Promise<string> {
  const hash = createHash('sha256');
  for (const path of globSync(INGREDIENTS, { cwd: fileURLToPath(top) }).toSorted()) hash.update(`${path}\n`).update(await readFile(new URL(path, top)));
  return hash.digest('hex');
}
