/** Receives one finished line of progress for a human. */
export type ProgressListener = (line: string) => void;

const DEFAULT_INTERVAL_MS = 5_000;

/** Runs long work while telling how long it has taken so far: at once, then every few seconds. */
export async function withProgress<T>(
  describe: (elapsed: string) => string,
  onProgress: ProgressListener,
  work: () => Promise<T>,
  intervalMs: number = DEFAULT_INTERVAL_MS,
): Promise<T> {
  const startedAt = performance.now();
  const report = (): void => onProgress(describe(formatElapsed(performance.now() - startedAt)));
  report();
  const timer = setInterval(report, intervalMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Elapsed time as a person would say it: `7s`, `1m20s`. */
function formatElapsed(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}
