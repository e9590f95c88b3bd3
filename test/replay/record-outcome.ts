import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import { TASK_QUEUE } from '../../workflows/ids.ts';
import { eventually } from '../workflow/eventually.ts';
import { scriptActivities } from '../workflow/scripted-activities.ts';
import { onStage } from '../workflow/stage.ts';
import type { RecordedOutcome } from './record-scene.ts';

/** What histories say about the worker and the client that made them. */
export const RECORDING_IDENTITY = 'reintegro';

/** Plays one outcome on a real server and gives its history as JSON text, in the form that all Temporal tools read. */
export async function recordOutcome(env: TestWorkflowEnvironment, outcome: RecordedOutcome): Promise<string> {
  const script = scriptActivities();
  let json = '';
  await onStage(env, script, async (stage) => {
    const subject = await outcome.play(stage, script);
    // A history is whole when no Workflow Task is under way: its last event is the end of one, or what that one decided.
    await eventually(async () => {
      const events = await subject.events();
      const lastTask = events.findLast((event) => event.workflowTaskScheduledEventAttributes ?? event.workflowTaskCompletedEventAttributes);
      if (!lastTask?.workflowTaskCompletedEventAttributes) throw new Error(`${outcome.name}: a Workflow Task is under way`);
      json = historyToJSON({ events: [...events] });
    });
    // No sticky queue: its name would be another one in each recording.
  }, { taskQueue: TASK_QUEUE, identity: RECORDING_IDENTITY, maxCachedWorkflows: 0 });
  return `${JSON.stringify(JSON.parse(json), null, 1)}\n`;
}
