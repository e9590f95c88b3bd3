import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import type { PayoutOrderEvent } from '../../src/domain/payout-order.ts';
import { createApiApp } from '../../src/http/app.ts';
import { movePayoutOrder } from '../../src/store/payout-orders/settle.ts';
import { playPayoutOrder } from './played-workflows.ts';
import { deliverTo, PROVIDER_PUBLIC_PEM, signatureOf } from './signed-webhook.ts';
import { expectRefused, payoutBody, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

let api: TestApi;
let payoutOrderId = '';
let events = 0;

beforeAll(async () => {
  api = await startApi({ webhookPublicKeyPem: PROVIDER_PUBLIC_PEM });
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order) });
  payoutOrderId = String((await api.call('POST', '/payout_orders', payoutBody())).body.id);
});
beforeEach(() => {
  events += 1;
  api.client.reset({ signalPayoutFact: async () => undefined });
});
afterAll(() => api.close());

function event(type = 'payout_order.withdrawn', object: object = { id: `provider_${payoutOrderId}` }): Record<string, unknown> {
  return { id: `event_${events}`, object: 'event', type, data: { object, previous_attributes: {} } };
}

/** Unix seconds. */
function secondsAgo(seconds: number): number {
  return Math.floor(Date.now() / 1000) - seconds;
}

function deliver(body: unknown, options: { key?: KeyObject; headers?: Record<string, string> } = {}): Promise<Answer> {
  return deliverTo(api, body, options);
}

describe('POST /webhooks/conekta (A8)', () => {
  it.each([
    ['payout_order.pending_confirmation', 'withdrawal'], ['payout_order.withdrawn', 'confirmation'], ['payout_order.reversed', 'reversal'], ['payout_order.cancelled', 'cancellation'], ['payout_order.expired', 'expiry'], ['payout_order.something_new', 'changed'],
  ])('should tell the payout order of %s as %s (P6)', async (type, fact) => {
    expect(await deliver(event(type))).toMatchObject({ status: 200 });
    expect(api.client.calls).toEqual([{ method: 'signalPayoutFact', args: ['m_one', payoutOrderId, { type: fact, eventId: `event_${events}` }] }]);
  });

  it('should find the payout order by our own id when the provider\'s is not on record yet', async () => {
    api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order, 'verifying') });
    const { id } = (await api.call('POST', '/payout_orders', payoutBody())).body as { id: string };
    api.client.reset({ signalPayoutFact: async () => undefined });
    expect((await deliver(event('payout_order.pending', { id: 'not_yet_known', metadata: { reintegro_id: id } }))).status).toBe(200);
    expect(api.client.calls).toMatchObject([{ method: 'signalPayoutFact', args: ['m_one', id, { type: 'changed' }] }]);
  });

  it('should put a second payout order of the provider that carries our id before a person, and not follow it (S4, O1)', async () => {
    expect((await deliver(event('payout_order.pending', { id: 'issued_twice', metadata: { reintegro_id: payoutOrderId } }))).status).toBe(200);
    expect(api.client.calls).toEqual([]);
    expect(await api.db.selectFrom('cases').select('kind').where('payout_order_id', '=', payoutOrderId).execute()).toEqual([{ kind: 'contradiction' }]);
  });

  it('should take an event in once, also when it comes twice at once or under another shape', async () => {
    const body = event();
    await deliver(body);
    await deliver(body);
    await deliver({ ...body, type: 'payout_order.reversed' });
    expect(api.client.calls).toHaveLength(1);
  });

  it('should answer 503 and not remember the event while the signal is not durable, so that the next delivery counts', async () => {
    const body = event();
    api.client.reset({ signalPayoutFact: async () => { throw new TemporalUnavailableError('gone'); } });
    expect(await deliver(body)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    api.client.reset({ signalPayoutFact: async () => undefined });
    expect((await deliver(body)).status).toBe(200);
    expect(api.client.calls).toHaveLength(1);
  });

  it.each([['another type', event('charge.paid', { id: 'x' })], ['a ping without object', { id: 'ping_1', type: 'webhook_ping' }], ['an unknown payout order', event('payout_order.withdrawn', { id: 'nobody' })]])('should take in %s and do nothing', async (_, body) => {
    expect((await deliver({ ...body, id: `quiet_${events}` })).status).toBe(200);
    expect(api.client.calls).toEqual([]);
  });

  it.each<[string, { key?: KeyObject; headers?: Record<string, string> }]>([
    ['another key\'s', { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }], ['an empty', { headers: { digest: '' } }], ['no base64', { headers: { digest: '!!!' } }], ['another body\'s', { headers: { digest: signatureOf('{}') } }],
    ['a SHA-1', { headers: { digest: signatureOf('x', { hash: 'RSA-SHA1' }) } }],
  ])('should refuse %s signature with 401 and touch nothing', async (_, options) => {
    expectRefused(api, await deliver(event(), options), 401, 'authentication_error');
  });

  it('should refuse a missing signature, a body changed by one byte, and everything without a key', async () => {
    const body = JSON.stringify(event());
    expectRefused(api, await api.call('POST', '/webhooks/conekta', body, { authorization: '' }), 401, 'authentication_error');
    const digest = signatureOf(body);
    expectRefused(api, await api.call('POST', '/webhooks/conekta', `${body} `, { digest }), 401, 'authentication_error');
    const unconfigured = await startApi();
    expectRefused(unconfigured, await unconfigured.call('POST', '/webhooks/conekta', body, { digest }), 401, 'authentication_error');
    await unconfigured.close();
  });

  it.each([['no JSON', '{'], ['a list', []], ['no id', { type: 'payout_order.withdrawn', data: { object: { id: 'x' } } }], ['no type', { id: 'e' }], ['no object', { id: 'e', type: 'payout_order.withdrawn' }], ['an id that is no text', { id: 7, type: 'x' }], ['a NUL in its id', { id: 'a\u0000', type: 'x' }]])('should refuse %s with 400', async (_, body) => {
    expectRefused(api, await deliver(body), 400, 'malformed_request_error');
  });
});

describe('POST /webhooks/conekta, after the end of the Workflow', () => {
  /** A payout order whose books took this course and whose Workflow is gone. */
  async function ended(course: readonly PayoutOrderEvent[] | 'refused'): Promise<string> {
    api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order, course) });
    const { id } = (await api.call('POST', '/payout_orders', payoutBody())).body as { id: string };
    api.client.reset({ signalPayoutFact: async () => { throw new NotRunningError('ended'); } });
    return id;
  }

  function tell(id: string, word: string, eventId = `event_${events}`): Promise<Answer> {
    return deliver({ ...event(`payout_order.${word}`, { id: `provider_${id}`, metadata: { reintegro_id: id } }), id: eventId });
  }

  function casesOf(id: string): Promise<object[]> {
    return api.db.selectFrom('cases').select(['kind', 'amount_minor', 'currency', 'status']).where('merchant_id', '=', 'm_one').where('payout_order_id', '=', id).execute();
  }

  function told(): number {
    return api.client.calls.filter(({ method }) => method === 'signalPayoutFact').length;
  }

  const issued = ['reference_issued'] as const;
  const withdrawn = [...issued, 'withdrawal_begun', 'confirmed'] as const;

  it.each<[string, readonly PayoutOrderEvent[] | 'refused', string, string]>([
    ['a reversal after the window', withdrawn, 'reversed', 'late_reversal'],
    ['a cancellation of cash that is out', withdrawn, 'cancelled', 'contradiction'],
    ['a withdrawal of a cancelled reference', [...issued, 'cancelled'], 'withdrawn', 'contradiction'],
    ['a withdrawal that begins after the cancellation', [...issued, 'cancelled'], 'pending_confirmation', 'contradiction'],
    ['a withdrawal that begins after the expiry', [...issued, 'expired'], 'pending_confirmation', 'contradiction'],
    ['a confirmation after the reversal', [...issued, 'withdrawal_begun', 'reversed'], 'withdrawn', 'contradiction'],
    ['a withdrawal that nobody follows, the Workflow being ended by hand', issued, 'withdrawn', 'contradiction'],
    ['a reversal that nobody follows', [...issued, 'withdrawal_begun'], 'reversed', 'contradiction'],
    ['a reference of an order that was refused for good', 'refused', 'pending', 'contradiction'],
  ])('should open a case for %s (P6, O1)', async (_, course, word, kind) => {
    const id = await ended(course);
    expect((await tell(id, word)).status).toBe(200);
    expect(await casesOf(id)).toEqual([{ kind, amount_minor: 3000, currency: 'MXN', status: 'open' }]);
    expect(await api.db.selectFrom('payout_orders').select('needs_attention').where('payout_order_id', '=', id).executeTakeFirst()).toEqual({ needs_attention: true });
    // Delivered again, and told anew: once taken in, one matter.
    await tell(id, word);
    expect(told()).toBe(1);
    await tell(id, word, `event_${events}_anew`);
    expect(await casesOf(id)).toHaveLength(1);
  });

  it.each<[readonly PayoutOrderEvent[], readonly string[]]>([
    [withdrawn, ['open', 'pending', 'pending_confirmation', 'withdrawn']],
    [[...issued, 'cancelled'], ['open', 'pending', 'cancelled']],
    [[...issued, 'withdrawal_begun', 'cancelled'], ['open', 'pending', 'pending_confirmation', 'cancelled']],
    [[...issued, 'expired'], ['open', 'pending', 'expired']],
    [[...issued, 'withdrawal_begun', 'reversed'], ['open', 'pending', 'pending_confirmation', 'reversed']],
    [[...issued, 'withdrawal_begun'], ['open', 'pending', 'pending_confirmation', 'something_new']],
  ])('should open none for what the books of %j know, however late it is told (P6)', async (course, words) => {
    const id = await ended(course);
    for (const word of words) expect((await tell(id, word, `event_${events}_${word}`)).status).toBe(200);
    expect(told()).toBe(words.length);
    expect(await casesOf(id)).toEqual([]);
  });

  it('should begin the Workflow again that was ended by hand, with the request on record, and open no case (I3, P6)', async () => {
    const id = await ended(issued);
    api.client.script = { ...api.client.script, revivePayoutOrder: async () => true };
    expect((await tell(id, 'withdrawn')).status).toBe(200);
    const [recorded] = (api.client.calls.at(-1)?.args ?? []) as { idempotencyKey: string }[];
    expect(api.client.calls.at(-1)).toMatchObject({ method: 'revivePayoutOrder', args: [{ merchantId: 'm_one', payoutOrderId: id, amountMinor: 3000 }] });
    expect(await api.db.selectFrom('idempotency_keys').select('resource_id').where('idempotency_key', '=', recorded?.idempotencyKey ?? '').execute()).toEqual([{ resource_id: id }]);
    expect(await casesOf(id)).toEqual([]);
  });

  it.each<[string, 'cancelled' | 'expired', number | string | undefined, readonly string[]]>([
    ['before the void', 'cancelled', 2, []], ['after its time and before the void', 'expired', 2, []], ['before the end of its time', 'expired', 11, ['contradiction']], ['in the second of its end', 'expired', 10, []],
    ['after the void', 'cancelled', -60, ['contradiction']],
    ['at no time that can be read', 'cancelled', 'yesterday', ['contradiction']], ['at no time', 'expired', undefined, ['contradiction']],
  ])('should, when a withdrawal of a voided reference began %s, call a person only if it came after (P6, O1)', async (_, end, age, kinds) => {
    const now = secondsAgo(0);
    const created_at = typeof age === 'number' ? now - age : age;
    const id = await ended([...issued, end]);
    if (end === 'expired') await api.db.updateTable('payout_orders').set({ expires_at: new Date((now - 10) * 1000 + 500) }).where('payout_order_id', '=', id).execute();
    const told = { ...event('payout_order.pending_confirmation', { id: `provider_${id}` }), created_at };
    expect((await deliver(told)).status).toBe(200);
    expect((await casesOf(id)).map((matter) => (matter as { kind: string }).kind)).toEqual(kinds);
    // Cash that is out all the same is told, too, and never passes.
    expect((await deliver({ ...event('payout_order.withdrawn', { id: `provider_${id}` }), id: `out_${events}`, created_at })).status).toBe(200);
    expect(await casesOf(id)).toMatchObject([{ kind: 'contradiction' }]);
  });

  it.each<[string, readonly PayoutOrderEvent[], string]>([
    ['issued again', [...issued, 'cancelled'], 'pending'], ['collected again', [...issued, 'withdrawal_begun', 'cancelled'], 'pending_confirmation'], ['issued again, having run out', [...issued, 'expired'], 'pending'],
  ])('should call a person when a void reference is %s after its end, although our books have been there before (P4, O1)', async (_, course, word) => {
    const id = await ended(course);
    const before = { ...event(`payout_order.${word}`, { id: `provider_${id}` }), created_at: secondsAgo(2) };
    expect((await deliver(before)).status).toBe(200);
    expect(await casesOf(id)).toEqual([]);
    expect((await deliver({ ...before, id: `again_${events}`, created_at: secondsAgo(-60) })).status).toBe(200);
    expect(await casesOf(id)).toMatchObject([{ kind: 'contradiction' }]);
  });

  it('should judge by the books as the Workflow left them, not as they were before the signal', async () => {
    const id = await ended([...issued, 'withdrawal_begun']);
    api.client.reset({ signalPayoutFact: async () => {
      await movePayoutOrder(api.db, { actor: 'a', workflowId: 'w', runId: 'r' }, { merchantId: 'm_one', payoutOrderId: id }, () => ['confirmed']);
      throw new NotRunningError('ended meanwhile');
    } });
    expect((await tell(id, 'reversed')).status).toBe(200);
    expect(await casesOf(id)).toMatchObject([{ kind: 'late_reversal' }]);
  });

  it('should not take the event in before its case is on record', async () => {
    const id = await ended(withdrawn);
    await sql`alter table cases rename to cases_away`.execute(api.db);
    try {
      expect(await tell(id, 'reversed')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    } finally {
      await sql`alter table cases_away rename to cases`.execute(api.db);
    }
    expect((await tell(id, 'reversed')).status).toBe(200);
    expect(await casesOf(id)).toMatchObject([{ kind: 'late_reversal' }]);
  });
});

describe('createApiApp', () => {
  it.each([['no key', 'nonsense'], ['another kind of key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()]])('should not start with %s for webhooks', async (_, webhookPublicKeyPem) => {
    await expect(createApiApp({
      db: api.db, client: api.client, orders: { baseUrl: 'http://127.0.0.1:9', credentialOf: () => undefined, timeoutMs: 1 }, webhookPublicKeyPem, gateway: { isConfigured: false, webhookPublicKeyPem: undefined }, syncWaitMs: 1, isReady: async () => true, logger: false,
    })).rejects.toThrow();
  });
});
