/** What stopping takes back, the last first. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = [];
  #isStopped = false;

  /** Notes what takes back something just started; when all was stopped meanwhile, takes it back at once and rejects. */
  async push(step: () => Promise<void>): Promise<void> {
    this.#steps.push(step);
    if (!this.#isStopped) return;
    await this.stop();
    throw new Error('the bench was stopped');
  }

  /** Takes everything back, for good. What cannot be stopped does not keep the rest running. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const step of this.#steps.splice(0).toReversed()) await step().catch((error: unknown) => console.error(error));
  }
}
