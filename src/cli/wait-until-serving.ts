import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';

/** Waits until a URL answers 200. @throws when `signal` is aborted, or after a minute, with the last failure as its cause */
export async function waitUntilServing(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 60_000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const { statusCode, body } = await request(url, { signal, headersTimeout: 5000 });
      await body.dump();
      if (statusCode === 200) return;
      last = new Error(`${url} answers ${statusCode}`);
    } catch (error) {
      if (signal.aborted) throw error;
      last = error;
    }
    await pause(100, undefined, { signal });
  }
  throw new Error(`${url} does not serve`, { cause: last });
}
