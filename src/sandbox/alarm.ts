/** Longest single timer, milliseconds: the clock may be set meanwhile, so look again. */
const LONGEST_TIMER_MS = 60_000;

/** One timer that rings when the next thing falls due, and is set anew whenever that may have changed. */
export class Alarm {
  readonly #nextAtMs: () => number | undefined;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `nextAtMs` tells when (unix milliseconds, or never), `ring` does what is due. */
  constructor(nextAtMs: () => number | undefined, ring: () => void) {
    this.#nextAtMs = nextAtMs;
    this.#ring = ring;
  }

  /** Sets the timer to the next due time. */
  set(): void {
    clearTimeout(this.#timer);
    const atMs = this.#isStopped ? undefined : this.#nextAtMs();
    if (atMs === undefined) return;
    const delayMs = Math.min(LONGEST_TIMER_MS, Math.max(0, atMs - Date.now()));
    this.#timer = setTimeout(() => {
      this.#ring();
      this.set();
    }, delayMs);
  }

  /** Stops for good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
