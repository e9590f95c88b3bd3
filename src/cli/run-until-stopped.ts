import { exitWithParent } from '../embedded/exit-with-parent.ts';
import { onShutdownSignal } from '../embedded/shutdown-signals.ts';
import type { Running } from './open-process.ts';

/** Waits until a signal asks to stop or a part fails, then stops the parts in reverse order. @throws what a part failed with */
export async function runUntilStopped(parts: readonly Running[], afterwards: () => Promise<void>): Promise<void> {
  exitWithParent();
  const asked = new Promise<'asked'>((resolve) => {
    onShutdownSignal({ graceful: () => resolve('asked'), hard: () => process.exit(1) });
  });
  try {
    await Promise.race([asked, ...parts.map((part) => part.failed)]);
  } finally {
    for (const part of parts.toReversed()) await part.stop();
    await afterwards();
  }
}
