import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { loadOrBuildWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { WorkflowBundle } from '../../src/temporal/workflow-bundle.ts';

const TOP = new URL('../../', import.meta.url);
const CACHE = new URL('node_modules/.cache/reintegro-test/', TOP);

/** All that a bundle is made of or by; the SDK by its locked version. */
const INGREDIENTS = ['workflows/**/*.ts', 'src/domain/**/*.ts', 'src/temporal/workflow-bundle.ts', 'activities/contracts.ts', 'package-lock.json'];

let bundle: Promise<WorkflowBundle> | undefined;

/** The bundle that ships, built once for all test files that run on the same sources. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= loadOrBuildOnce();
  return bundle;
}

async function loadOrBuildOnce(): Promise<WorkflowBundle> {
  const file = new URL(`${await fingerprintOfSources()}.js`, CACHE);
  try {
    return { code: await readFile(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const built = await loadOrBuildWorkflowBundle();
  if (!('code' in built)) return built;
  await mkdir(CACHE, { recursive: true });
  // Bundles of older sources are of no use any more; another test process may be doing the same.
  for (const old of globSync('*.js', { cwd: fileURLToPath(CACHE) })) await rm(new URL(old, CACHE), { force: true });
  // Whole or not at all: another test process may read it at any moment.
  const part = new URL(`${process.pid}.part`, CACHE);
  await writeFile(part, built.code);
  await rename(part, file);
  return built;
}

async function fingerprintOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const path of globSync(INGREDIENTS, { cwd: fileURLToPath(TOP) }).toSorted()) hash.update(`${path}\n`).update(await readFile(new URL(path, TOP)));
  return hash.digest('hex');
}
