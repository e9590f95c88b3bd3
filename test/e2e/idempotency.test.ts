import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Part, Product } from '../support/product.ts';
import { decimal, expectDone, expectRefused, FACE_NAMES, readAnswer, refundFace, refundPath } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundAnswer, RefundFace } from '../support/refund-faces.ts';
import { sampleSize } from '../support/sample-size.ts';
import { merchantBackend, orLost, PATIENCE, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';
import { PAID_MINOR, REFUND_ENDINGS, told } from './refund-endings.ts';

const MERCHANT = 'merchant_demo';
/** The gateway's face has nothing of its own here but how it reads a request. */
const POSTS: Readonly<Record<FaceName, number>> = { conekta: sampleSize({ quick: 1000, full: 10_000 }), gateway: sampleSize({ quick: 250, full: 2000 }) };
const AT_ONCE = 50;

/** Connections are kept here: ten thousand new ones would wear out the machine, not the product. */
const keptConnections = new Agent({ connections: AT_ONCE });

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
let db: Database;
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const databaseUrl = await createDatabase(postgres, 'idempotency');
  product = await startProduct({ databaseUrl, apis: 2, workers: 2 });
  db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 1 });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  backend = merchantBackend(product.apis[1]?.url ?? '');
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await keptConnections.close();
  await temporal?.close();
  await db?.destroy();
  await product?.stop();
  await postgres?.stop();
});

/** The same merchant at a face, by way of either API process. */
function faceAt(face: FaceName, index: number, key: 'key_demo' | 'key_demo_two' = 'key_demo'): RefundFace {
  return refundFace(face, { apiUrl: product.apis[index]?.url ?? '', sandboxUrl: product.sandboxUrl, key });
}

/** Writings of an amount of 7.00 that are the same JSON value, as each face reads it. */
const AMOUNTS: Readonly<Record<FaceName, readonly string[]>> = { conekta: ['700'], gateway: ['7', '7.0', decimal(700)] };

/** One of many writings of the same key and the same JSON value: fields in any order, white space, quotes. */
function writingOf(face: FaceName, key: string, index: number): { readonly key: string; readonly body: string } {
  const space = ' '.repeat(index % 7);
  const fields = [`"amount":${space}${AMOUNTS[face][index % AMOUNTS[face].length]}`, `"reason"${space}:"other"`];
  return { key: index % 3 === 0 ? `"${key}"` : key, body: `${space}{${(index % 2 === 0 ? fields : fields.toReversed()).join(`\n,${space}`)}}` };
}

/** Posts the same refund in other words each time, and says what the answer was and whether another had been given before it was asked for. */
function duplicatesOf(paid: Paid, key: string) {
  let isAnswered = false;
  return async (index: number) => {
    const writing = writingOf(paid.face, key, index);
    const followsAnswer = isAnswered;
    const { statusCode, headers, body } = await request(`${product.apis[index % 2]?.url}${refundPath(paid)}`, {
      method: 'POST', dispatcher: keptConnections, body: writing.body, headers: { authorization: 'Bearer key_demo', 'content-type': 'application/json', 'idempotency-key': writing.key },
    });
    const text = await body.text();
    isAnswered = true;
    const header = (name: string): string | undefined => [headers[name]].flat()[0];
    return { followsAnswer, answer: readAnswer(paid.face, { status: statusCode, header, text, body: JSON.parse(text) as unknown }) };
  };
}

/** Does something for each number below `count`, so many at once. */
async function inTurn<T>(count: number, act: (index: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  const indices = Array.from({ length: count }).keys();
  const goOn = async (): Promise<void> => {
    for (const index of indices) results.push(await act(index));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, goOn));
  return results;
}

const idOf = (paid: Paid, key: string): string => deriveRefundId(MERCHANT, paid.orderId, key);

async function untilOnRecord(refundId: string): Promise<void> {
  await vi.waitFor(async () => expect(await readRefund(db, MERCHANT, refundId)).not.toBeNull(), { ...PATIENCE, interval: 5 });
}

/** Waits until faults have been used up. */
async function untilHit(faults: readonly number[], interval = PATIENCE.interval): Promise<void> {
  await vi.waitFor(async () => {
    const left = await provider.left();
    expect(faults.filter((fault) => left.has(fault))).toEqual([]);
  }, { ...PATIENCE, interval });
}

async function expectForgotten(workflowId: string): Promise<void> {
  await expect(temporal.client.workflow.getHandle(workflowId).describe()).rejects.toThrow(WorkflowNotFoundError);
}

/** Lets Temporal forget Workflows, as it does by itself when their retention ends. */
async function forget(workflowIds: readonly string[]): Promise<void> {
  // All of them end before the first is deleted: the server deletes nothing that ended after a deletion still in its queue.
  await Promise.all(workflowIds.map((workflowId) => temporal.client.workflow.getHandle(workflowId).result()));
  for (const workflowId of workflowIds) await temporal.client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId } });
  await vi.waitFor(() => Promise.all(workflowIds.map(expectForgotten)), { timeout: 150_000, interval: 500 });
}

function expectReused(answer: RefundAnswer): void {
  expectRefused(answer, 422, 'parameter_validation.idempotency_key.reused');
  expect(answer.body).toMatchObject({ details: [{ param: 'Idempotency-Key' }] });
}

function expectReplayed(answer: RefundAnswer, paid: Paid, key: string): void {
  expect({ id: answer.header('reintegro-refund-id'), replayed: answer.header('idempotent-replayed') }).toEqual({ id: idOf(paid, key), replayed: 'true' });
}

describe.skipIf(postgres === null).each(FACE_NAMES)('Idempotency-Key of a refund over the face of %s, two APIs and two Workers', (name) => {
  it(`should make one refund of ${POSTS[name]} duplicates, ${AT_ONCE} at a time, and tell all callers of it (R8, I1, I2)`, { timeout: 300_000 }, async () => {
    const paid = await faceAt(name, 0).pay(50_000);
    const posted = await inTurn(POSTS[name], duplicatesOf(paid, 'ten-thousand-fold'));
    expect(posted).toHaveLength(POSTS[name]);
    const answers = posted.map(({ answer }) => answer);
    expect(new Set(answers.map(({ header }) => header('reintegro-refund-id')))).toEqual(new Set([idOf(paid, 'ten-thousand-fold')]));
    expect(answers.filter(({ meaning }) => meaning !== 'done' && meaning !== 'under_way').map(({ text }) => text)).toEqual([]);
    expect(new Set(answers.filter(({ meaning }) => meaning === 'done').map(({ text }) => text)).size).toBe(1);
    expect(posted.filter(({ followsAnswer, answer }) => followsAnswer && answer.header('idempotent-replayed') !== 'true')).toEqual([]);
    // The very first found nothing; so may those have that were asked for before it was on record.
    expect(answers.filter(({ header }) => header('idempotent-replayed') === undefined).length).toBeGreaterThanOrEqual(1);
    await expectMoved(provider, backend, paid, [700]);
  });

  it('should refuse another body under the key, and count another merchant’s key for itself (R8)', async () => {
    const [first, second, another, key] = [faceAt(name, 0), faceAt(name, 1), faceAt(name, 1, 'key_demo_two'), randomUUID()];
    const [paid, theirs] = [await first.pay(50_000), await another.pay(50_000)];
    expectDone(await first.refund(paid, { amountMinor: 700 }, key), paid, 700);
    for (const wish of [{ amountMinor: 701 }, {}, { amountMinor: 700, reason: 'other' }]) expectReused(await second.refund(paid, wish, key));
    if (name === 'conekta') expectReused(await second.refundAs(paid, { idempotencyKey: key, body: { amount: 700, charge_id: paid.chargeId } }));
    else expectReused(await second.refundAs(paid, { idempotencyKey: key, body: '{"amount":7.00,"external_reference":"mine"}' }));
    const theirAnswer = await another.refund(theirs, { amountMinor: 900 }, key);
    expectDone(theirAnswer, theirs, 900);
    expect(theirAnswer.header('idempotent-replayed')).toBeUndefined();
    expect(theirAnswer.header('reintegro-refund-id')).toBe(deriveRefundId('merchant_demo_two', theirs.orderId, key));
    expectRefused(await another.refund(paid, { amountMinor: 700 }, key), 404);
    await expectMoved(provider, backend, paid, [700]);
    await expectMoved(provider, merchantBackend(product.apiUrl, 'key_demo_two'), theirs, [900]);
  });

  it('should accept one of two different requests that meet under a fresh key, and refuse the other (R8)', async () => {
    const paid = await faceAt(name, 0).pay(1_000_000);
    const winners: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const key = randomUUID();
      const amounts = [1000 + round, 2000 + round];
      const answers = await Promise.all(amounts.map((amountMinor, index) => untilTold(() => faceAt(name, index).refund(paid, { amountMinor }, key))));
      const winner = answers.findIndex(({ meaning }) => meaning === 'done');
      for (const loser of answers.filter((_, index) => index !== winner)) expectReused(loser);
      winners.push(amounts[winner] ?? 0);
    }
    await expectMoved(provider, backend, paid, winners);
  });
});

// Whatever takes its time, waits for both faces at once.
describe.skipIf(postgres === null)('Idempotency-Key of refunds over both faces, two APIs and two Workers', () => {
  const payBoth = (): Promise<readonly { readonly paid: Paid; readonly key: string }[]> =>
    Promise.all(FACE_NAMES.map(async (face) => ({ paid: await faceAt(face, 0).pay(50_000), key: randomUUID() })));

  it.each(['timeout', 'hang'] as const)('should answer duplicates with the same refund while the provider gives no answer: %s (R8, S4)', async (mode) => {
    await Promise.all((await payBoth()).map(async ({ paid, key }) => {
      const [first, second] = [faceAt(paid.face, 0), faceAt(paid.face, 1)];
      const fault = await provider.arm({ operation: 'refund', mode, charge_id: paid.chargeId });
      const asked = first.refund(paid, { amountMinor: 700 }, key);
      await untilHit([fault]);
      const duplicates = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? first : second).refund(paid, { amountMinor: 700 }, key));
      expectReused(await second.refund(paid, { amountMinor: 701 }, key));
      for (const answer of [await asked, ...(await Promise.all(duplicates))]) {
        expect(['done', 'under_way']).toContain(answer.meaning);
        expect(answer.header('reintegro-refund-id')).toBe(idOf(paid, key));
      }
      expectDone(await untilTold(() => second.refund(paid, { amountMinor: 700 }, key)), paid, 700);
      await expectMoved(provider, backend, paid, [700]);
    }));
  });

  it('should answer each kind of refund that is over from the records once Temporal has forgotten it (R8)', { timeout: 200_000 }, async () => {
    const ended = await Promise.all(FACE_NAMES.flatMap((face) => REFUND_ENDINGS.map(async (ending) => {
      const [paid, key] = [await faceAt(face, 0).pay(PAID_MINOR), randomUUID()];
      const asking = { paid, key, face: faceAt(face, 0), provider, untilOnRecord: () => untilOnRecord(idOf(paid, key)) };
      return { ...ending, paid, key, workflowId: refundWorkflowId(MERCHANT, idOf(paid, key)), answer: await ending.ask(asking, ending.wish) };
    })));
    expect(ended.map(({ name, answer }) => [name, answer.meaning === 'done' ? null : answer.status])).toEqual(FACE_NAMES.flatMap(() => REFUND_ENDINGS.map(({ name, refused }) => [name, refused])));
    await forget(ended.map(({ workflowId }) => workflowId));
    await provider.disarm();
    for (const { paid, key, workflowId, wish, moved, answer } of ended) {
      for (const index of [0, 1]) {
        const again = await faceAt(paid.face, index).refund(paid, wish, key);
        expect({ meaning: again.meaning, status: again.status, told: told(again) }).toEqual({ meaning: answer.meaning, status: answer.status, told: told(answer) });
        expectReplayed(again, paid, key);
        expectReused(await faceAt(paid.face, index).refund(paid, { amountMinor: 702 }, key));
      }
      await expectForgotten(workflowId);
      await expectMoved(provider, backend, paid, moved);
    }
  });

  const apis = (): readonly Part[] => product.apis.slice(0, 1);
  const workers = (): readonly Part[] => product.workers;

  it.each([
    ['the API, before anything was sent', apis, { operation: 'order.get', mode: 'hang' }], ['the API, after the send', apis, { operation: 'refund', mode: 'timeout' }],
    ['the Workers, before anything was sent', workers, { operation: 'order.get', mode: 'hang' }], ['the Workers, after the send', workers, { operation: 'refund', mode: 'timeout' }],
  ] as const)('should make one refund of a request whose reply was lost to a crash of %s (R8, R11, S4)', { timeout: 120_000 }, async (_, parts, fault) => {
    const both = await payBoth();
    // The order is on record by a refund of before: what hangs is the reading before the send, and not the first one, which is answered at once when it fails.
    for (const { paid } of both) expectDone(await faceAt(paid.face, 0).refund(paid, { amountMinor: 100 }, randomUUID()), paid, 100);
    const faults = await Promise.all(both.map(({ paid }) => provider.arm({ ...fault, charge_id: paid.chargeId })));
    const asked = both.map(({ paid, key }) => orLost(faceAt(paid.face, 0).refund(paid, { amountMinor: 700 }, key)));
    for (const { paid, key } of both) await untilOnRecord(idOf(paid, key));
    await untilHit(faults, 10);
    await Promise.all(parts().map(({ program }) => program.kill9()));
    await Promise.all(parts().map((part) => part.restart()));
    for (const { paid, key } of both) {
      for (const answer of await Promise.all([0, 1].map((index) => untilTold(() => faceAt(paid.face, index).refund(paid, { amountMinor: 700 }, key))))) {
        expectDone(answer, paid, 700, 800);
        expectReplayed(answer, paid, key);
      }
      await expectMoved(provider, backend, paid, [100, 700]);
    }
    for (const reply of await Promise.all(asked)) {
      if (parts === apis) expect(reply).toBe('connection lost');
      else expect(['done', 'under_way']).toContain(reply === 'connection lost' ? reply : reply.meaning);
    }
  });
});
