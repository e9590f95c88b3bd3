/** By how much the next aim moves towards the side that lost: twice as much each time that one side wins again, up to a limit; milliseconds. */
const STEP_MS = 50;
const LARGEST_STEP_MS = 400;
const FARTHEST_MS = 6000;

/** Where a race is even: how fast each side is depends on the machine, so the aim follows what wins. */
export interface EvenAim {
  /** How much later the aimed side acts than the other (negative: earlier), with some chance (0 to 1); milliseconds. */
  ms(aim: number): number;
  learn(aimedWon: boolean): void;
}

/** Makes an aim that begins at so many milliseconds and is off by chance up to so many. */
export function evenAim(firstMs: number, spreadMs: number): EvenAim {
  let evenMs = firstMs;
  let stepMs = 0;
  return {
    ms: (aim) => evenMs + (2 * aim - 1) * spreadMs,
    learn(aimedWon) {
      const towards = aimedWon ? 1 : -1;
      stepMs = Math.sign(stepMs) === towards ? towards * Math.min(LARGEST_STEP_MS, 2 * Math.abs(stepMs)) : towards * STEP_MS;
      evenMs = Math.max(-FARTHEST_MS, Math.min(FARTHEST_MS, evenMs + stepMs));
    },
  };
}
