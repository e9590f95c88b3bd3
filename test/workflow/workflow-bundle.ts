import { loadOrBuildWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { WorkflowBundle } from '../../src/temporal/workflow-bundle.ts';

let bundle: Promise<WorkflowBundle> | undefined;

/** The bundle that ships, read once per test process. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= loadOrBuildWorkflowBundle();
  return bundle;
}
