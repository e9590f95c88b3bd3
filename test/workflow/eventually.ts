import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 20;

/** Awaits what must become true, however slow the machine: asks again until it no longer throws. Answers with its value. */
export async function eventually<T>(claim: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(INTERVAL_MS);
  }
}
