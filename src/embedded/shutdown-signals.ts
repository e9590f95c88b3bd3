const SHUTDOWN_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One Ctrl-C can arrive twice: the terminal signals the whole group, and npm passes on what it got.
 * A person who means it a second time takes longer than this.
 */
const SAME_KEYSTROKE_MS = 500;

/** What to do at the first request to stop, and at a second one. */
export interface ShutdownHandlers {
  readonly graceful: () => void;
  readonly hard: () => void;
}

/** Calls `graceful` at the first SIGINT, SIGTERM or SIGHUP and `hard` at a later one. Returns a function that stops listening. */
export function onShutdownSignal(handlers: ShutdownHandlers): () => void {
  let firstAt: number | undefined;
  const listener = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      handlers.graceful();
    } else if (performance.now() - firstAt > SAME_KEYSTROKE_MS) {
      handlers.hard();
    }
  };
  for (const signal of SHUTDOWN_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SHUTDOWN_SIGNALS) process.off(signal, listener);
  };
}
