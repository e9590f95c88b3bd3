import { chance, deck } from './chance.ts';

/** A kind of program that is killed and comes back. */
export const PARTS = ['worker', 'api', 'temporal', 'postgres', 'sandbox'] as const;

/** One of them. */
export type PartName = (typeof PARTS)[number];

/** One kill -9. Milliseconds. */
export interface PlannedKill {
  readonly part: PartName;
  /** Which of several processes. */
  readonly index: 0 | 1;
  /**
   * What it waits for. `work`: for its share of all that is to be done. `serving`: only for the program to serve again, and so to have taken up what waits.
   * `nothing`: it follows right behind the one before, so that nobody is left for a while.
   */
  readonly after: 'work' | 'serving' | 'nothing';
  /** From then to the kill. */
  readonly pauseMs: number;
  /** From the kill to the new start. */
  readonly downMs: number;
}

/** The kills of a run: workers and servers, each in a row of their own. */
export interface KillPlan {
  readonly workers: readonly PlannedKill[];
  readonly servers: readonly PlannedKill[];
}

const SERVERS: readonly PartName[] = ['api', 'api', 'api', 'sandbox', 'sandbox', 'temporal', 'postgres'];
/**
 * Workers are killed in bursts, with time to work in between: the server notices a lost task after ten seconds, and a row without end would only show
 * that nothing goes on.
 */
const BURST = { least: 4, most: 8 };
/** A worker is killed at any moment of what it does: right after it took something up, or well after. */
const WORKER_PAUSE_MS = { least: 50, most: 900 };
const SERVER_PAUSE_MS = { least: 500, most: 3000 };
/** How often the other worker is killed right behind the first. */
const BOTH_AT_ONCE = 0.6;

/** Plans the kills of a seed. Pure. */
export function planKills(seed: number, workerKills: number, serverKills: number): KillPlan {
  const drawn = chance(seed, 'kills of workers');
  const workers: PlannedKill[] = [];
  for (let left = drawn.int(BURST.least, BURST.most), after: PlannedKill['after'] = 'work'; workers.length < workerKills; left -= 1) {
    workers.push({
      part: 'worker', index: workers.length % 2 === 0 ? 0 : 1, after,
      pauseMs: after === 'nothing' ? 0 : drawn.int(WORKER_PAUSE_MS.least, WORKER_PAUSE_MS.most), downMs: drawn.happens(0.2) ? drawn.int(200, 1000) : 0,
    });
    // Two in a row are both of them: a third would meet one that is only starting.
    if (left > 1) after = after !== 'nothing' && drawn.happens(BOTH_AT_ONCE) ? 'nothing' : 'serving';
    else [left, after] = [drawn.int(BURST.least, BURST.most) + 1, 'work'];
  }
  const server = chance(seed, 'kills of servers');
  const next = deck(server, SERVERS);
  const servers = Array.from({ length: serverKills }, (): PlannedKill => ({
    part: next(), index: server.happens(0.5) ? 0 : 1, after: 'work', pauseMs: server.int(SERVER_PAUSE_MS.least, SERVER_PAUSE_MS.most), downMs: server.int(0, 1500),
  }));
  return { workers, servers };
}
