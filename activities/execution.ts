import { Context } from '@temporalio/activity';
import type { WorkflowRef } from './contracts.ts';

/** Tells each Activity which execution calls it, as the server knows it. Calls of earlier versions say so themselves. */
export function withExecution<T extends { [K in keyof T]: (input: never) => Promise<unknown> }>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (input: object) => Promise<unknown>;
    return [name, async (input: object) => run({ ...execution(), ...input })];
  });
  return Object.fromEntries(wrapped) as T;
}

function execution(): Partial<WorkflowRef> {
  return { ...Context.current().info.workflowExecution };
}
