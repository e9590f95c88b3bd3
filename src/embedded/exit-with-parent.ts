/**
 * Ends this process when the supervisor that started it is gone, however it went: the kernel closes the IPC channel.
 * Does nothing in a process started without a channel, such as one run by hand.
 *
 * @param beforeExit last duties, such as closing a database; whatever it throws is printed, and the process ends all the same.
 */
export function exitWithParent(beforeExit?: () => Promise<void>): void {
  if (process.channel === undefined || process.channel === null) return;
  process.once('disconnect', () => {
    const duties = beforeExit?.() ?? Promise.resolve();
    void duties
      .catch((error: unknown) => {
        console.error(error);
      })
      .finally(() => process.exit(1));
  });
  // Listening keeps the channel open; a finished program must not stay alive for it.
  process.channel.unref();
}
