import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { ProductOptions } from '../support/product.ts';
import { FACE_NAMES } from '../support/refund-faces.ts';
import { collectEvidence, untilAtRest, untilCaughtUp } from './fault-evidence.ts';
import type { OrderEvidence } from './fault-evidence.ts';
import { planFaults, PROVIDER_TIMEOUT_MS, READ_MODES, REFUND_MODES, SETTLE_DELAY_MS } from './fault-plan.ts';
import { countHits, playFaults } from './fault-run.ts';
import { judge } from './fault-verdict.ts';

/** Plans the run; a failure names it, and the same one plans the same run again. */
const SEED = 20_004;
const NAIVE_WORKER = fileURLToPath(new URL('./naive/worker.ts', import.meta.url));
const SETTINGS = { CONEKTA_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS), CONEKTA_SETTLE_DELAY_MS: String(SETTLE_DELAY_MS), SYNC_WAIT_MS: '2500' };
const TIMEOUT_MS = 300_000;

const postgres = await startPostgres();

/** What a run came to. */
interface Outcome {
  readonly evidence: readonly OrderEvidence[];
  readonly hits: ReadonlyMap<string, number>;
}

/** Plays the run of the seed on a product of its own, until it is at rest. `onPlayed` is called when every caller has had an answer, or when it failed. */
async function runFaults(name: string, options: ProductOptions, onPlayed: () => void = () => undefined): Promise<Outcome> {
  if (postgres === null) throw new Error('needs PostgreSQL');
  const databaseUrl = await createDatabase(postgres, name);
  const db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 4 });
  try {
    const product = await startProduct({ databaseUrl, workers: 2, settings: SETTINGS, ...options });
    try {
      const played = await playFaults(product, planFaults(SEED));
      onPlayed();
      await untilAtRest(db, product);
      if (options.workerProgram === undefined) await untilCaughtUp(db, product);
      const hits = await countHits(product, played);
      return { hits, evidence: await collectEvidence(db, product, played) };
    } finally {
      await product.stop();
    }
  } finally {
    onPlayed();
    await db.destroy();
  }
}

let shipped: Promise<Outcome>;
let naive: Promise<Outcome>;

beforeAll(() => {
  if (postgres === null) return;
  // The one waits most of the time until it is at rest: long enough for the other to begin.
  const played = new Promise<void>((resolve) => {
    shipped = runFaults('shipped', {}, resolve);
  });
  naive = played.then(() => runFaults('naive', { workerProgram: NAIVE_WORKER }));
  // Whoever asks for an outcome gets its failure; until then nobody is there to take it.
  for (const run of [shipped, naive]) void run.catch(() => undefined);
});
afterAll(async () => {
  await Promise.allSettled([shipped, naive]);
  await postgres?.stop();
}, TIMEOUT_MS);

describe.skipIf(postgres === null)('reintegro api and reintegro worker, whatever the providers do', () => {
  it('should move every refund once and book it, lose none, and mislead no caller (S4, S5, R10, I1, I2, I3, I4, I5)', { timeout: TIMEOUT_MS }, async () => {
    const { evidence, hits } = await shipped;
    expect(judge(evidence), `seed ${SEED}`).toEqual([]);
    // A mode that hit nothing proves nothing, and neither does a run in which nothing was lost.
    for (const face of FACE_NAMES) {
      // Split orders, which only Conekta has, meet each of them once more.
      for (const { mode } of REFUND_MODES) expect(hits.get(`${face} refund ${mode}`), `${face} ${mode}`).toBeGreaterThanOrEqual(face === 'conekta' ? 5 : 3);
      for (const mode of READ_MODES) expect((hits.get(`${face} refund.find ${mode}`) ?? 0) + (hits.get(`${face} order.get ${mode}`) ?? 0), `${face} ${mode}`).toBeGreaterThanOrEqual(3);
    }
    const endings = evidence.flatMap(({ refunds }) => refunds.map(({ ending }) => ending));
    for (const ending of ['refunded', 'partial', 'rejected', 'case'] as const) expect(endings).toContain(ending);
  });

  it('should be seen to pay twice by the same run, once plain Activity retries send the refunds (I1, I2)', { timeout: TIMEOUT_MS }, async () => {
    const { evidence } = await naive;
    const violations = judge(evidence);
    const paidTwice = violations.filter(({ rule }) => rule === 'I1').map(({ order }) => order);
    for (const face of FACE_NAMES) {
      expect(paidTwice.filter((order) => order.startsWith(face)).length, `${face}, seed ${SEED}`).toBeGreaterThanOrEqual(20);
      // A refund that meets such a fault once, and nothing else.
      for (const { mode } of REFUND_MODES.filter(({ moment }) => moment === 'after' || moment === 'late')) expect(paidTwice.some((order) => order.startsWith(`${face}: ${mode} × 1`)), `${face} ${mode}`).toBe(true);
    }
    expect(violations.filter(({ rule }) => rule === 'I2').length).toBeGreaterThanOrEqual(paidTwice.length);
  });
});
