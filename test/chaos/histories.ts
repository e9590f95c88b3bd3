import { Worker } from '@temporalio/worker';
import type { ChaosStage } from './chaos-stage.ts';
import type { Place } from './canaries.ts';

/** How many histories are fetched at once. */
const AT_ONCE = 8;

/** Replays every history of the run with the code that is shipped (I8). */
export async function replayHistories({ temporal, bundlePath }: ChaosStage): Promise<{ readonly failures: readonly string[]; readonly replayed: number }> {
  const failures: string[] = [];
  let replayed = 0;
  const histories = temporal.client.workflow.list().intoHistories({ concurrency: AT_ONCE });
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { codePath: bundlePath } }, histories)) {
    replayed += 1;
    if (error !== undefined) failures.push(`${workflowId} does not replay: ${error.message}`);
  }
  return { failures, replayed };
}

/** What the Temporal server shows of each Workflow without being asked for its history: memo and search attributes (I7). */
export async function visiblePlaces({ temporal }: ChaosStage): Promise<readonly Place[]> {
  const places: Place[] = [];
  for await (const { workflowId, memo, typedSearchAttributes } of temporal.client.workflow.list()) {
    places.push({ where: 'memos or search attributes', text: JSON.stringify([workflowId, memo, typedSearchAttributes.getAll()]) });
  }
  return places;
}
