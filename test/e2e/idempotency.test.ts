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
import { merchantBackend, orLost, PATIENCE, readOrder, untilAnswered } from './merchant-backend.ts';
import type { Answer, MerchantBackend, PaidOrder } from './merchant-backend.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const MERCHANT = 'merchant_demo';
const POSTS = 10_000;
const AT_ONCE = 50;

/** Connections are kept here: ten thousand new ones would wear out the machine, not the product. */
const keptConnections = new Agent({ connections: AT_ONCE });

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
let db: Database;
/** The same merchant, by way of either API process. */
let first: MerchantBackend;
let second: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  if (postgres === null) return;
  const databaseUrl = await createDatabase(postgres, 'idempotency');
  product = await startProduct({ databaseUrl, apis: 2, workers: 2 });
  db = openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 1 });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  first = merchantBackend(product.apis[0]?.url ?? '');
  second = merchantBackend(product.apis[1]?.url ?? '');
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await keptConnections.close();
  await temporal?.close();
  await db?.destroy();
  await product?.stop();
  await postgres?.stop();
});

/** One of many writings of the same key and the same JSON value: fields in any order, white space, quotes. */
function writingOf(key: string, index: number): { readonly key: string; readonly body: string } {
  const space = ' '.repeat(index % 7);
  const fields = [`"amount":${space}700`, `"reason"${space}:"other"`];
  return { key: index % 3 === 0 ? `"${key}"` : key, body: `${space}{${(index % 2 === 0 ? fields : fields.toReversed()).join(`\n,${space}`)}}` };
}

/** Posts the same refund in other words each time, and says what the answer was and whether another had been given before it was asked for. */
function duplicatesOf(order: PaidOrder, key: string) {
  let isAnswered = false;
  return async (index: number) => {
    const writing = writingOf(key, index);
    const followsAnswer = isAnswered;
    const { statusCode, headers, body } = await request(`${product.apis[index % 2]?.url}/orders/${order.orderId}/refunds`, {
      method: 'POST', dispatcher: keptConnections, body: writing.body, headers: { authorization: 'Bearer key_demo', 'content-type': 'application/json', 'idempotency-key': writing.key },
    });
    const text = await body.text();
    isAnswered = true;
    return { followsAnswer, status: statusCode, refundId: headers['reintegro-refund-id'], replayed: headers['idempotent-replayed'], text };
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

function idOf(order: PaidOrder, key: string): string {
  return deriveRefundId(MERCHANT, order.orderId, key);
}

async function untilOnRecord(refundId: string): Promise<void> {
  await vi.waitFor(async () => expect(await readRefund(db, MERCHANT, refundId)).not.toBeNull(), { ...PATIENCE, interval: 5 });
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

/** Asks for a refund that has to wait for another one of its charge, and calls it off. */
async function refundCalledOff(order: PaidOrder, body: object, key: string): Promise<Answer> {
  await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: order.chargeId });
  const holder = orLost(first.refund(order.orderId, { amount: 500 }, 'holder'));
  await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
  const asked = first.refund(order.orderId, body, key);
  await untilOnRecord(idOf(order, key));
  expect(await untilAnswered(() => second.cancelRefund(order.orderId, idOf(order, key)))).toMatchObject({ status: 200 });
  await holder;
  readOrder(await untilAnswered(() => first.refund(order.orderId, { amount: 500 }, 'holder')));
  return asked;
}

/** The ways a refund of an order of 500.00 ends, with the answer to it and what has moved by then, minor units. */
const ENDINGS: readonly { readonly name: string; readonly body: object; readonly status: number; readonly moved: readonly number[]; readonly ask: (order: PaidOrder, body: object, key: string) => Promise<Answer> }[] = [
  { name: 'refunded', body: { amount: 700 }, status: 200, moved: [700], ask: (order, body, key) => first.refund(order.orderId, body, key) },
  { name: 'declined by the provider', body: { amount: 10_901 }, status: 402, moved: [], ask: (order, body, key) => first.refund(order.orderId, body, key) },
  { name: 'refused for its amount', body: { amount: 50_001 }, status: 422, moved: [], ask: (order, body, key) => first.refund(order.orderId, body, key) },
  {
    name: 'refused as not returnable', body: {}, status: 428, moved: [50_000],
    ask: async (order, body, key) => {
      readOrder(await first.refund(order.orderId, {}));
      return first.refund(order.orderId, body, key);
    },
  },
  { name: 'cancelled', body: { amount: 700 }, status: 402, moved: [500], ask: refundCalledOff },
];

/** What an error says, or the order that a success shows; the id of an error's log entry is its own. */
function told({ body }: Answer): unknown {
  return (body as { readonly details?: unknown }).details ?? body;
}

const REUSED = { status: 422, body: { details: [{ param: 'Idempotency-Key', code: 'conekta.errors.parameter_validation.idempotency_key.reused' }] } };

describe.skipIf(postgres === null)('Idempotency-Key of POST /orders/{id}/refunds, over two APIs and two Workers', () => {
  it(`should make one refund of ${POSTS} duplicates, ${AT_ONCE} at a time, and tell all callers of it (R8, I1, I2)`, { timeout: 300_000 }, async () => {
    const order = await first.createOrder(50_000);
    const answers = await inTurn(POSTS, duplicatesOf(order, 'ten-thousand-fold'));
    expect(answers).toHaveLength(POSTS);
    expect(new Set(answers.map(({ refundId }) => refundId))).toEqual(new Set([idOf(order, 'ten-thousand-fold')]));
    expect(answers.filter(({ status }) => status !== 200 && status !== 202)).toEqual([]);
    expect(new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ followsAnswer, replayed }) => followsAnswer && replayed !== 'true')).toEqual([]);
    // The very first found nothing; so may those have that were asked for before it was on record.
    expect(answers.filter(({ replayed }) => replayed === undefined).length).toBeGreaterThanOrEqual(1);
    await expectMoved(provider, second, order, [700]);
  });

  it('should refuse another body under the key, and count another merchant’s key for itself (R8)', async () => {
    const [backendOfAnother, key] = [merchantBackend(product.apis[1]?.url ?? '', 'key_demo_two'), randomUUID()];
    const [order, theirs] = [await first.createOrder(50_000), await backendOfAnother.createOrder(50_000)];
    const answer = await first.refund(order.orderId, { amount: 700 }, key);
    expect(readOrder(answer)).toMatchObject({ amount_refunded: 700 });
    for (const body of [{ amount: 701 }, {}, { amount: 700, charge_id: order.chargeId }, { amount: 700, reason: 'other' }]) {
      expect(await second.refund(order.orderId, body, key)).toMatchObject(REUSED);
    }
    const theirAnswer = await backendOfAnother.refund(theirs.orderId, { amount: 900 }, key);
    expect(readOrder(theirAnswer)).toMatchObject({ id: theirs.orderId, amount_refunded: 900 });
    expect(theirAnswer.header('idempotent-replayed')).toBeUndefined();
    expect(theirAnswer.header('reintegro-refund-id')).toBe(deriveRefundId('merchant_demo_two', theirs.orderId, key));
    expect(await backendOfAnother.refund(order.orderId, { amount: 700 }, key)).toMatchObject({ status: 404 });
    await expectMoved(provider, first, order, [700]);
    await expectMoved(provider, backendOfAnother, theirs, [900]);
  });

  it.each(['timeout', 'hang'] as const)('should answer duplicates with the same refund while the provider gives no answer: %s (R8, S4)', async (mode) => {
    const [order, key] = [await first.createOrder(50_000), randomUUID()];
    await provider.arm({ operation: 'refund', mode, charge_id: order.chargeId });
    const asked = first.refund(order.orderId, { amount: 700 }, key);
    await vi.waitFor(async () => expect(await provider.armed()).toEqual({ data: [] }), PATIENCE);
    const duplicates = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? first : second).refund(order.orderId, { amount: 700 }, key));
    expect(await second.refund(order.orderId, { amount: 701 }, key)).toMatchObject(REUSED);
    for (const answer of [await asked, ...(await Promise.all(duplicates))]) {
      expect([200, 202]).toContain(answer.status);
      expect(answer.header('reintegro-refund-id')).toBe(idOf(order, key));
    }
    expect(readOrder(await untilAnswered(() => second.refund(order.orderId, { amount: 700 }, key)))).toMatchObject({ amount_refunded: 700 });
    await expectMoved(provider, first, order, [700]);
  });

  it('should accept one of two different requests that meet under a fresh key, and refuse the other (R8)', async () => {
    const order = await first.createOrder(1_000_000);
    const winners: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const key = randomUUID();
      const asked = [{ backend: first, amount: 1000 + round }, { backend: second, amount: 2000 + round }];
      const answers = await Promise.all(asked.map(({ backend, amount }) => untilAnswered(() => backend.refund(order.orderId, { amount }, key))));
      const winner = answers.findIndex(({ status }) => status === 200);
      expect(answers[1 - winner]).toMatchObject(REUSED);
      winners.push(asked[winner]?.amount ?? 0);
    }
    await expectMoved(provider, second, order, winners);
  });

  it('should answer each kind of refund that is over from the records once Temporal has forgotten it (R8)', { timeout: 200_000 }, async () => {
    const ended = await Promise.all(ENDINGS.map(async (ending) => {
      const [order, key] = [await first.createOrder(50_000), randomUUID()];
      return { ...ending, order, key, workflowId: refundWorkflowId(MERCHANT, idOf(order, key)), answer: await ending.ask(order, ending.body, key) };
    }));
    expect(ended.map(({ name, answer }) => [name, answer.status])).toEqual(ENDINGS.map(({ name, status }) => [name, status]));
    await forget(ended.map(({ workflowId }) => workflowId));
    for (const { order, key, workflowId, body, status, moved, answer } of ended) {
      for (const backend of [first, second]) {
        const again = await backend.refund(order.orderId, body, key);
        expect({ status: again.status, told: told(again), id: again.header('reintegro-refund-id') }).toEqual({ status, told: told(answer), id: idOf(order, key) });
        expect(again.header('idempotent-replayed')).toBe('true');
        expect(await backend.refund(order.orderId, { amount: 702 }, key)).toMatchObject(REUSED);
      }
      await expectForgotten(workflowId);
      await expectMoved(provider, second, order, moved);
    }
  });

  const apis = (): readonly Part[] => product.apis.slice(0, 1);
  const workers = (): readonly Part[] => product.workers;

  it.each([
    ['the API, before anything was sent', apis, { operation: 'order.get', mode: 'hang' }], ['the API, after the send', apis, { operation: 'refund', mode: 'timeout' }],
    ['the Workers, before anything was sent', workers, { operation: 'order.get', mode: 'hang' }], ['the Workers, after the send', workers, { operation: 'refund', mode: 'timeout' }],
  ] as const)('should make one refund of a request whose reply was lost to a crash of %s (R8, R11, S4)', { timeout: 120_000 }, async (_, parts, fault) => {
    const [order, key] = [await first.createOrder(50_000), randomUUID()];
    await provider.arm({ ...fault, charge_id: order.chargeId });
    const asked = orLost(first.refund(order.orderId, { amount: 700 }, key));
    await untilOnRecord(idOf(order, key));
    await vi.waitFor(async () => expect(await provider.armed()).toEqual({ data: [] }), { ...PATIENCE, interval: 10 });
    await Promise.all(parts().map(({ program }) => program.kill9()));
    await Promise.all(parts().map((part) => part.restart()));
    const answers = await Promise.all([first, second].map((backend) => untilAnswered(() => backend.refund(order.orderId, { amount: 700 }, key))));
    for (const answer of answers) {
      expect(readOrder(answer)).toMatchObject({ amount_refunded: 700 });
      expect({ id: answer.header('reintegro-refund-id'), replayed: answer.header('idempotent-replayed') }).toEqual({ id: idOf(order, key), replayed: 'true' });
    }
    const reply = await asked;
    if (parts === apis) expect(reply).toBe('connection lost');
    else expect([200, 202]).toContain(reply === 'connection lost' ? reply : reply.status);
    await expectMoved(provider, second, order, [700]);
  });
});
