import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunningSandbox } from './start-sandbox.ts';

/** What a caller sees of a call: a status, a body that cannot be read, a connection reset or closed, or silence. */
export type Seen = number | 'unreadable' | 'reset' | 'closed' | 'silence';

/** Calls, and gives up once the sandbox has used up its fault and still says nothing. */
export async function see(sandbox: RunningSandbox, method: string, path: string, body?: unknown): Promise<Seen> {
  const patience = new AbortController();
  const headers = { authorization: 'Bearer key_demo', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const seen = (async (): Promise<Seen> => {
    try {
      const response = await fetch(sandbox.url + path, {
        method, headers, signal: patience.signal, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      try {
        JSON.parse(text);
      } catch {
        return 'unreadable';
      }
      return response.status;
    } catch (error) {
      if (patience.signal.aborted) return 'silence';
      const { code } = (error as { cause?: { code?: string } }).cause ?? {};
      return code === 'ECONNRESET' ? 'reset' : 'closed';
    }
  })();
  // Not `vi.waitUntil`: it moves a clock that the test has stopped.
  const tooLong = AbortSignal.timeout(5000);
  while ((await sandbox.call('GET', '/sandbox/faults')).body.data.length > 0) await pause(10, undefined, { signal: tooLong });
  // The fault is used up in the very step that answers, so an answer that is to come has been sent by now: half a second is ample.
  await Promise.race([seen, pause(500)]);
  patience.abort();
  return seen;
}

/** Arms a fault. */
export async function arm(sandbox: RunningSandbox, fault: Record<string, unknown>): Promise<void> {
  expect((await sandbox.call('POST', '/sandbox/faults', fault)).status).toBe(200);
}
