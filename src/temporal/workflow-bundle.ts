import { access } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleOptions } from '@temporalio/worker';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { bundleOnce } from './bundle-cache.ts';

/** What a Worker takes as its Workflow code: the text of a bundle, or the path of one that was built before. */
export type WorkflowBundle = { readonly code: string } | { readonly codePath: string };

/** Name of the prebuilt bundle, at the top of the build output. */
const PREBUILT_FILE_NAME = 'workflow-bundle.js';

/** This file lies two folders below the top, in the sources as in the build output. */
const TOP = new URL('../../', import.meta.url);

/** Whether the program runs from its TypeScript sources; the build output holds JavaScript only. */
const RUNS_FROM_SOURCES = extname(import.meta.url) === '.ts';

/**
 * What the bundle of a root file is made of. The modules of Workflows are evaluated once per Worker, not once per Workflow: none of them holds state, and the sandbox freezes what they export.
 */
export function bundleOptions(workflowsPath: string): BundleOptions {
  return { workflowsPath, preloadModules: [workflowsPath], logger: new DefaultLogger('WARN') };
}

/**
 * Bundles all Workflow Types for Temporal's sandbox.
 * @param workflowsPath the root of the bundle, `workflows/index.ts` or its compiled form.
 * @throws Error when the bundle cannot be made, for example because Workflow code imports a Node module; what is wrong
 * was written to standard error by then.
 */
export async function bundleWorkflows(workflowsPath: string): Promise<{ readonly code: string }> {
  const { code } = await bundleWorkflowCode(bundleOptions(workflowsPath));
  return { code };
}

/**
 * The Workflow code for a Worker: the prebuilt bundle when the program runs from its build output (a Worker then starts in
 * a fifth of the time), when it runs from sources a bundle made of them, once.
 * @throws Error when the build output lacks the bundle: it is never made again there, so that all Workers of one image
 * run the same code.
 */
export async function loadOrBuildWorkflowBundle(): Promise<WorkflowBundle> {
  if (RUNS_FROM_SOURCES) return bundleOnce(TOP, () => bundleWorkflows(fileURLToPath(new URL('workflows/index.ts', TOP))));
  const codePath = fileURLToPath(new URL(PREBUILT_FILE_NAME, TOP));
  try {
    await access(codePath);
  } catch (error) {
    throw new Error(`the Workflow bundle ${codePath} is missing: run "npm run build"`, { cause: error });
  }
  return { codePath };
}
