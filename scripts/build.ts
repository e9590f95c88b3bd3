/** Builds `dist/`: compiled sources and, beside them, the Workflow bundle every Worker of an image loads. */
import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../src/temporal/workflow-bundle.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

/** Runs the compiler of this package, with its messages on our own output. */
function compile(): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, error } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`the compiler ended with status ${status ?? 'none'}`);
}

await rm(dist, { recursive: true, force: true });
compile();
const { code } = await bundleWorkflows(join(dist, 'workflows', 'index.js'));
await writeFile(join(dist, 'workflow-bundle.js'), code);
process.stdout.write(`dist/ is built; the Workflow bundle has ${Math.ceil(code.length / 1024)} KiB\n`);
