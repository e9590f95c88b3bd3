import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { expectDone, FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import { FAILPOINTS } from './failpoint-points.ts';
import type { Failpoint } from './failpoint-points.ts';
import { merchantBackend, PATIENCE, untilAnswered } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';

const WORKER = fileURLToPath(new URL('./failpoint-worker.ts', import.meta.url));
const POINTS = Object.keys(FAILPOINTS) as readonly Failpoint[];

const postgres = await startPostgres();
const folder = mkdtempSync(join(tmpdir(), 'reintegro-failpoints-'));
const file = join(folder, 'point');
let product: Product;
let db: Database;

beforeAll(async () => {
  if (postgres === null) return;
  writeFileSync(file, '');
  const databaseUrl = await createDatabase(postgres, 'failpoints');
  db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 1 });
  product = await startProduct({ databaseUrl, workerProgram: WORKER, settings: { FAILPOINT_FILE: file, SYNC_WAIT_MS: '1000' } });
});
afterAll(async () => {
  await db?.destroy();
  await product?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Has the worker die at a step of what is asked for, and starts it again; what was asked for is answered in the end. */
async function dyingAt<Answer>(point: Failpoint, ask: () => Promise<Answer>): Promise<Answer> {
  writeFileSync(file, point);
  const [worker] = product.workers;
  const asked = ask();
  expect(await worker?.program.exited).toMatchObject({ signal: 'SIGKILL' });
  // It says itself that it died there, and nowhere else.
  expect(readFileSync(file, 'utf8')).toBe('');
  await worker?.restart();
  return asked;
}

describe.skipIf(postgres === null)('a worker that is killed with -9 at a step of a refund', () => {
  it.each(FACE_NAMES.flatMap((name) => POINTS.map((point) => ({ name, point }))))('should have it done once in the end, $point, over $name (I1, I2, I3, S4)', async ({ name, point }) => {
    const face = refundFace(name, product);
    const provider = providerSide(product.sandboxUrl);
    const paid = await face.pay(50_000);
    const { fault } = FAILPOINTS[point];
    if (fault !== null) await provider.arm({ operation: 'refund', mode: fault, charge_id: paid.chargeId });
    const key = `failpoint-${name}-${point}`;
    const first = await dyingAt(point, () => face.refund(paid, { amountMinor: 12_300 }, key));
    // What is booked is told, though its Workflow does not know it yet.
    expect(first.meaning, first.text).toBe(point === 'after_commit' ? 'done' : 'under_way');
    const done = await vi.waitFor(async () => {
      const answer = await face.refund(paid, { amountMinor: 12_300 }, key);
      expect(answer.meaning, answer.text).toBe('done');
      return answer;
    }, PATIENCE);
    expectDone(done, paid, 12_300);
    await expectMoved(provider, merchantBackend(product.apiUrl), paid, [12_300]);
    expect(await provider.refundsOf(paid)).toHaveLength(1);
    expect(await db.selectFrom('cases').selectAll().execute()).toEqual([]);
  });
});

describe.skipIf(postgres === null)('a worker that is killed with -9 at a step of a payout order', () => {
  it.each(POINTS)('should have one reference issued in the end: %s (I1, I3, P1, S4)', async (point) => {
    const backend = merchantBackend(product.apiUrl);
    const provider = providerSide(product.sandboxUrl);
    const { fault } = FAILPOINTS[point];
    if (fault !== null) await provider.arm({ operation: 'payout.create', mode: fault });
    const key = `failpoint-payout-${point}`;
    await dyingAt(point, () => backend.askForPayoutOrder(4_500, key));
    const answer = await untilAnswered(() => backend.askForPayoutOrder(4_500, key));
    expect(answer).toMatchObject({ status: 200, body: { status: 'pending', amount: 4_500 } });
    const { id } = answer.body as { readonly id: string };
    expect(((await provider.findPayoutOrders(id)).body as { readonly data: readonly unknown[] }).data).toHaveLength(1);
    await provider.till(id, 'withdrawal');
    await provider.till(id, 'confirmation');
    await vi.waitFor(async () => expect(await backend.payoutOrder(id)).toMatchObject({ status: 'withdrawn' }), PATIENCE);
    await expectMoved(provider, backend, { payoutOrderId: id }, [4_500]);
    expect(await db.selectFrom('cases').selectAll().execute()).toEqual([]);
  });
});
