/** A provider's clock may differ from ours by this much at most. */
const CLOCK_MARGIN_S = 3600;
/** Objects made at the same time may be listed a little out of turn. */
const DISORDER_S = 60;

/** A listed object: when it was made, in unix seconds, or anything else when that cannot be told. */
interface Aged {
  readonly created_at?: unknown;
}

function parseCreatedAtS(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/**
 * Tells when a list that is read from its newest end has gone past an instant, so that the rest of it is older still.
 * That lists are newest first (CONTRACT, Lists) is not believed but watched: what was read must have descended by more than
 * the disorder allowed, and must never have risen by more than it; a list that did not, is never past.
 */
export class AgeBound {
  readonly #boundS: number;
  #newestS = -Infinity;
  #oldestS = Infinity;
  #isNewestFirst = true;

  /** `createdAfter`: nothing that was made before it, by more than clocks differ, is looked for. */
  constructor(createdAfter: Date) {
    this.#boundS = createdAfter.getTime() / 1000 - CLOCK_MARGIN_S;
  }

  /** Takes in the next page; `true` when all of it, and so all that follows, is too old. What has no readable age may be new. */
  isPastAfter(page: readonly Aged[]): boolean {
    const times = page.map((item) => parseCreatedAtS(item.created_at));
    for (const timeS of times) {
      if (timeS === null) continue;
      if (timeS > this.#oldestS + DISORDER_S) this.#isNewestFirst = false;
      this.#newestS = Math.max(this.#newestS, timeS);
      this.#oldestS = Math.min(this.#oldestS, timeS);
    }
    const hasDescended = this.#newestS - this.#oldestS > DISORDER_S;
    return this.#isNewestFirst && hasDescended && times.every((timeS) => timeS !== null && timeS < this.#boundS);
  }
}
