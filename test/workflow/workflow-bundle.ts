import { loadOrBuildWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { WorkflowBundle } from '../../src/temporal/workflow-bundle.ts';

let bundle: Promise<WorkflowBundle> | undefined;

/** The bundle that ships, built once per test file. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= loadOrBuildWorkflowBundle();
  return bundle;
}
