import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isFullSample, sampleSize } from '../support/sample-size.ts';
import { DUELS, endsOf, MELEE } from './payout-race-kinds.ts';
import type { RaceKind } from './payout-race-kinds.ts';
import { runRaces } from './payout-race-run.ts';
import type { Race } from './payout-race-run.ts';
import { raceStage } from './payout-race-stage.ts';
import type { RaceStage } from './payout-race-stage.ts';
import { broken, groupBy, readBooks } from './payout-race-verdict.ts';
import type { Books } from './payout-race-verdict.ts';

const RACES = sampleSize({ quick: 135, full: 1000 });
const SEED = 20_260_101;
const AT_ONCE = 20;
/** Each side wins at least so large a part of its races; of few, at least some: the aims need a while to become even. */
const LEAST_SHARE = isFullSample() ? 0.2 : 0.05;
const LEAST_MELEE_SHARE = isFullSample() ? 0.03 : 0;

const stage: RaceStage | null = await raceStage();
let races: readonly Race[] = [];
let books: ReadonlyMap<string, Books> = new Map();

beforeAll(async () => {
  if (stage === null) return;
  races = await runRaces(stage, RACES, AT_ONCE, SEED);
  // What the provider announces last may arrive after the end, and must change nothing then either.
  await vi.waitFor(() => expect(races.filter(({ id, provider }) => stage.history(id).at(-1) !== provider.status)).toEqual([]), { timeout: 30_000, interval: 50 });
  books = await readBooks(stage.db);
}, 600_000);
afterAll(() => stage?.stop());

function racesOf(kind: RaceKind | typeof MELEE): readonly Race[] {
  return races.filter((race) => race.kind === kind);
}

/** How often races ended how, for the message of a failure. */
function tally(of: readonly Race[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...groupBy(of, ({ record }) => record.status)].map(([status, group]) => [status, group.length]));
}

/** All that is wrong with races, and who won them. */
function complaints(of: readonly Race[]): readonly string[] {
  return of.flatMap((race) => {
    const history = stage?.history(race.id) ?? [];
    return broken(race, books.get(race.id), history).map((what) => `${race.name}: ${what}; told ${JSON.stringify(race.told)}; announced ${history.join(', ')}`);
  });
}

describe.skipIf(stage === null)(`${RACES} races of payout orders (seed ${SEED})`, () => {
  it.each(DUELS)('should have one winner in each race of $name, equal to the journal, with every caller told the truth, and each side winning often (P2, P4, P5, P6, I1, I2)', (kind) => {
    const run = racesOf(kind);
    const [aimed, other] = endsOf(kind);
    expect(complaints(run)).toEqual([]);
    const wins = tally(run);
    for (const end of [aimed, other]) expect(wins[end] ?? 0, `${kind.name}: ${JSON.stringify(wins)}`).toBeGreaterThanOrEqual(run.length * LEAST_SHARE);
  });

  it(`should have one winner in each race of ${MELEE}, and any of them (P3, P4, P5, P6, I1, I2)`, () => {
    const run = racesOf(MELEE);
    expect(complaints(run)).toEqual([]);
    const wins = tally(run);
    for (const end of ['cancelled', 'withdrawn', 'reversed', 'expired']) expect(wins[end] ?? 0, JSON.stringify(wins)).toBeGreaterThanOrEqual(run.length * LEAST_MELEE_SHARE);
  });

  it('should give nearly every caller a verdict, not the promise of one (P4, P5)', () => {
    const verdicts = races.flatMap(({ told }) => told).filter((told) => told.who === 'cancel' && told.way === 'http');
    expect(verdicts.filter(({ says }) => says === 'undecided').length).toBeLessThanOrEqual(verdicts.length * 0.05);
  });
});
