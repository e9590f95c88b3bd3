import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { bundleWorkflows } from '../src/temporal/workflow-bundle.ts';
import { startNodeProgram } from '../test/support/processes.ts';
import type { BareOutcome, BareRequest } from './bare-activities.ts';
import type { bareUpdateWorkflow } from './bare-workflows.ts';
import type { BenchStack } from './bench-stack.ts';
import type { Undo } from './undo.ts';

const TASK_QUEUE = 'bench-bare';

/** Bare Workflows on a stack's Temporal server, with a worker and a provider of their own. Every method answers the id of the Workflow that it ran to its end. */
export interface BareSide {
  readonly workerPid: number;
  readonly providerPid: number;
  /** Starts a Workflow and waits for its result. */
  execute(workflowType: 'bareWorkflow' | 'bareProviderWorkflow'): Promise<string>;
  /** The same in one call: starts it by an update that tells the result. */
  executeByUpdate(): Promise<string>;
}

/** Starts worker and provider; both are stopped by `undo`. */
export async function startBareSide(stack: BenchStack, cache: number, undo: Undo): Promise<BareSide> {
  const folder = await mkdtemp(join(tmpdir(), 'reintegro-bench-bare-'));
  await undo.push(() => rm(folder, { recursive: true, force: true }));
  const bundle = join(folder, 'bundle.js');
  await writeFile(bundle, (await bundleWorkflows(fileURLToPath(new URL('./bare-workflows.ts', import.meta.url)))).code);
  const provider = await startNodeProgram(fileURLToPath(new URL('./bare-provider.ts', import.meta.url)));
  await undo.push(() => provider.stop());
  const [, providerUrl = ''] = /serving on (\S+)/.exec(await provider.waitForLine(/serving on/)) ?? [];
  const worker = await startNodeProgram(fileURLToPath(new URL('./bare-worker.ts', import.meta.url)), [stack.temporalAddress, TASK_QUEUE, bundle, providerUrl, String(cache)]);
  await undo.push(() => worker.stop());
  await worker.waitForLine(/^polling$/);
  const { workflow } = stack.temporal.client;
  return {
    workerPid: worker.pid, providerPid: provider.pid,
    async execute(workflowType) {
      const workflowId = `bare:${randomUUID()}`;
      succeeded(await workflow.execute<(work: BareRequest) => Promise<BareOutcome>>(workflowType, { workflowId, taskQueue: TASK_QUEUE, args: [workOf(workflowId)] }));
      return workflowId;
    },
    async executeByUpdate() {
      const workflowId = `bare:${randomUUID()}`;
      const start = new WithStartWorkflowOperation<typeof bareUpdateWorkflow>('bareUpdateWorkflow', { workflowId, taskQueue: TASK_QUEUE, args: [workOf(workflowId)], workflowIdConflictPolicy: 'FAIL' });
      succeeded(await workflow.executeUpdateWithStart<typeof bareUpdateWorkflow, BareOutcome, []>('outcome', { args: [], startWorkflowOperation: start }));
      return workflowId;
    },
  };
}

function workOf(id: string): BareRequest {
  return { id, amount: 10_000, currency: 'MXN' };
}

function succeeded({ status }: BareOutcome): void {
  if (status !== 'succeeded') throw new Error(`a bare Workflow ends ${status}`);
}
