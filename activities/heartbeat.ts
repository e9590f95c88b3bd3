import { Context } from '@temporalio/activity';

/** How often a long provider call tells the server that its worker lives, in milliseconds. */
const INTERVAL_MS = 3000;

/** Runs work with heartbeats, so that a killed worker is noticed in seconds. Short work sends none. */
export async function withHeartbeat<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Whether the server has given this attempt up: then nothing may be sent any more. */
export function isGivenUp(): boolean {
  return Context.current().cancellationSignal.aborted;
}
