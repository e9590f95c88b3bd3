import type { WorkflowHandle } from '@temporalio/client';

/** The current details of a Workflow, as the Temporal Web UI asks for them. */
export async function detailsOf(subject: { readonly handle: WorkflowHandle }): Promise<string> {
  const metadata = await subject.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}
