import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { SCOPES } from '../../src/store/merchants.ts';
import type { Scope } from '../../src/store/merchants.ts';
import { follow, openCases, recordedPayoutOrder } from './native-scene.ts';
import type { Course } from './native-scene.ts';
import { addKey, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

const RAIL = { authorization: 'Bearer key_rail' };
const ISSUED = ['reference_issued'] as const;
const BEGUN = [...ISSUED, 'withdrawal_begun'] as const;
const FACTS = ['withdrawal', 'confirmation', 'reversal'] as const;
type Fact = (typeof FACTS)[number];

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await addKey(api.db, 'm_one', 'key_rail', ['rail']);
  await addKey(api.db, 'm_two', 'key_rail_two', ['rail']);
});
afterAll(() => api.close());

function report(id: string, fact: Fact, body?: unknown, headers: Record<string, string> = RAIL): Promise<Answer> {
  return api.call('POST', `/v1/payout_orders/${id}/${fact}`, body, headers);
}

async function statusOf(id: string): Promise<string> {
  return String((await api.call('GET', `/v1/payout_orders/${id}`)).body.status);
}

describe('POST /v1/payout_orders/{id}/withdrawal|confirmation|reversal (P6)', () => {
  it.each([['withdrawal', ISSUED, 'withdrawal_begun', 'pending_confirmation'], ['confirmation', BEGUN, 'confirmed', 'withdrawn'], ['reversal', BEGUN, 'reversed', 'reversed']] as const)(
    'should report a %s to the Workflow, and answer 200 with the payout order when the provider shows it (P2)', async (fact, course, event, status) => {
      const id = await recordedPayoutOrder(api, course);
      api.client.reset({ reportPayoutFact: () => follow(api, id, event) });
      const answer = await report(id, fact, { event_id: 'rail event/7' });
      expect(answer).toMatchObject({ status: 200, body: { id, status, amount: 3000 } });
      expect(answer.headers['location']).toBeUndefined();
      expect(api.client.calls).toEqual([{ method: 'reportPayoutFact', args: ['m_one', id, { type: fact, eventId: 'rail event/7' }, { waitMs: 50 }] }]);
    });

  it('should answer 200 for a withdrawal that the provider shows as confirmed already (P2)', async () => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ reportPayoutFact: () => follow(api, id, 'withdrawal_begun', 'confirmed') });
    expect(await report(id, 'withdrawal')).toMatchObject({ status: 200, body: { status: 'withdrawn' } });
  });

  it.each([['no body', undefined], ['an empty text', ''], ['an empty object', {}]])('should take %s, and give every report an event id of its own', async (_, body) => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ reportPayoutFact: async () => null });
    expect((await report(id, 'withdrawal', body)).status).toBe(202);
    expect((await report(id, 'withdrawal', body)).status).toBe(202);
    const eventIds = api.client.calls.map(({ args }) => (args[2] as { eventId: string }).eventId);
    expect(new Set(eventIds).size).toBe(2);
    expect(eventIds.every((eventId) => /^[0-9a-f-]{36}$/.test(eventId))).toBe(true);
  });

  it.each([
    ['an unknown field', { event_id: 'e', amount: 3000 }, 'amount'], ['an id that is no text', { event_id: 7 }, 'event_id'], ['an empty id', { event_id: '' }, 'event_id'], ['an id of 256 characters', { event_id: 'e'.repeat(256) }, 'event_id'],
    ['a line break', { event_id: 'a\nb' }, 'event_id'], ['a letter outside ASCII', { event_id: 'ñ' }, 'event_id'],
  ])('should refuse %s with 422 and tell nobody', async (_, body, param) => {
    const id = await recordedPayoutOrder(api);
    expect(await report(id, 'withdrawal', body)).toMatchObject({ status: 422, body: { errors: [{ param }] } });
    expect(api.client.calls).toEqual([]);
  });

  it.each<[string, Fact, Course, () => Promise<null>]>([
    ['the provider does not answer in time', 'withdrawal', ISSUED, async () => null], ['the provider does not show it yet', 'withdrawal', ISSUED, async () => null],
    ['a confirmation comes before its withdrawal', 'confirmation', ISSUED, async () => null], ['a reversal comes before its withdrawal', 'reversal', ISSUED, async () => null], ['the reference is still being issued', 'withdrawal', 'verifying', async () => null],
  ])('should answer 202 with the place to look, and change nothing, when %s (P6)', async (_, fact, course, reportPayoutFact) => {
    const id = await recordedPayoutOrder(api, course);
    const before = await statusOf(id);
    api.client.reset({ reportPayoutFact });
    expect(await report(id, fact)).toMatchObject({ status: 202, body: { id, status: before }, headers: { location: `/v1/payout_orders/${id}` } });
    expect(await statusOf(id)).toBe(before);
    expect(await openCases(api, id)).toEqual([]);
  });

  it.each<[Fact, Course, string]>([
    ['withdrawal', BEGUN, 'pending_confirmation'], ['withdrawal', [...BEGUN, 'confirmed'], 'withdrawn'], ['withdrawal', [...BEGUN, 'reversed'], 'reversed'], ['confirmation', [...BEGUN, 'confirmed'], 'withdrawn'], ['reversal', [...BEGUN, 'reversed'], 'reversed'],
  ])('should answer 200 to a %s that the books of %j contain, ask nobody and open no case (P6)', async (fact, course, status) => {
    const id = await recordedPayoutOrder(api, course);
    for (const eventId of ['e1', 'e1', 'e2']) expect(await report(id, fact, { event_id: eventId })).toMatchObject({ status: 200, body: { status } });
    expect(api.client.calls).toEqual([]);
    expect(await openCases(api, id)).toEqual([]);
  });
});

describe('a fact that the books exclude', () => {
  it.each<[Fact, Course, string, readonly string[]]>([
    ['withdrawal', [...ISSUED, 'cancelled'], 'cancelled', ['contradiction']],
    ['withdrawal', [...ISSUED, 'expired'], 'expired', ['contradiction']],
    ['withdrawal', [...BEGUN, 'cancelled'], 'cancelled', []],
    ['withdrawal', 'refused', 'open', ['contradiction']],
    ['confirmation', [...BEGUN, 'cancelled'], 'cancelled', ['contradiction']],
    ['confirmation', [...BEGUN, 'reversed'], 'reversed', ['contradiction']],
    ['confirmation', [...ISSUED, 'expired'], 'expired', ['contradiction']],
    ['reversal', [...BEGUN, 'confirmed'], 'withdrawn', ['late_reversal']],
    ['reversal', [...ISSUED, 'cancelled'], 'cancelled', ['contradiction']],
  ])('should answer 409 to a %s after %j with the payout order, and open its case once (P4, P6, O1)', async (fact, course, status, cases) => {
    const id = await recordedPayoutOrder(api, course);
    for (const eventId of ['e1', 'e1', 'e2']) {
      expect(await report(id, fact, { event_id: eventId })).toMatchObject({
        status: 409, body: { code: 'payout_order_says_otherwise', detail: expect.stringContaining(`is ${status}`) as string, payout_order: { id, status, needs_attention: cases.length > 0 } },
      });
    }
    expect(api.client.calls).toEqual([]);
    expect(await openCases(api, id)).toEqual(cases);
    expect(await statusOf(id)).toBe(status);
  });

  it.each([['is over when the provider was asked', false], ['ended while it was told', true]])('should tell a rail that lost a race how the payout order that %s stands (P5)', async (_, isGone) => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ reportPayoutFact: async () => {
      const view = await follow(api, id, 'cancelled');
      if (isGone) throw new NotRunningError('ended');
      return view;
    } });
    expect(await report(id, 'withdrawal')).toMatchObject({ status: 409, body: { payout_order: { status: 'cancelled' } } });
  });

  it('should answer 200 when the Workflow took the fact in and ended before it could be told (P5)', async () => {
    const id = await recordedPayoutOrder(api, BEGUN);
    api.client.reset({ reportPayoutFact: async () => {
      await follow(api, id, 'confirmed');
      throw new NotRunningError('ended');
    } });
    expect(await report(id, 'confirmation')).toMatchObject({ status: 200, body: { status: 'withdrawn' } });
    expect(await openCases(api, id)).toEqual([]);
  });
});

describe('a report that cannot be taken in', () => {
  it('should be 503 with a case when the Workflow was ended by hand, for nobody is left to ask the provider (O1)', async () => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ reportPayoutFact: async () => { throw new NotRunningError('terminated'); } });
    for (let count = 0; count < 2; count += 1) expect(await report(id, 'withdrawal')).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
    expect(await openCases(api, id)).toEqual(['contradiction']);
    expect(await statusOf(id)).toBe('pending');
  });

  it('should be 503 without Temporal, and open no case (RELIABILITY)', async () => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ reportPayoutFact: async () => { throw new TemporalUnavailableError('gone'); } });
    expect(await report(id, 'withdrawal')).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
    expect(await openCases(api, id)).toEqual([]);
  });

  it('should be 503, never 409, while its case cannot be written down', async () => {
    const id = await recordedPayoutOrder(api, [...BEGUN, 'confirmed']);
    await sql`alter table cases rename to cases_away`.execute(api.db);
    try {
      expect(await report(id, 'reversal')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    } finally {
      await sql`alter table cases_away rename to cases`.execute(api.db);
    }
    expect((await report(id, 'reversal')).status).toBe(409);
    expect(await openCases(api, id)).toEqual(['late_reversal']);
  });

  it.each(FACTS)('should be 404 for a %s of an unknown payout order and of another merchant\'s (A1)', async (fact) => {
    const id = await recordedPayoutOrder(api, [...BEGUN, 'confirmed']);
    for (const [named, headers] of [['unknown', RAIL], ['4000056655665556', RAIL], [id, { authorization: 'Bearer key_rail_two' }]] as const) {
      expect(await report(named, fact, undefined, headers)).toMatchObject({ status: 404, body: { code: 'object_not_found' } });
    }
    expect(api.client.calls).toEqual([]);
    expect(await openCases(api, id)).toEqual([]);
  });
});

describe('scopes of /v1 (RELIABILITY, Security)', () => {
  const reading: readonly Scope[] = ['read', 'refunds', 'payouts'];
  const routes: readonly (readonly ['GET' | 'POST', string, readonly Scope[]])[] = [
    ['GET', '/v1/payout_orders', reading], ['GET', '/v1/payout_orders/unknown', reading], ['GET', '/v1/money_movements?charge_id=x', reading], ['POST', '/v1/payout_orders/unknown/cancel', ['payouts']],
    ...FACTS.map((fact) => ['POST', `/v1/payout_orders/unknown/${fact}`, ['rail']] as const),
  ];

  it.each(SCOPES)('should open to %s what the scope is for and nothing else: facts to rails alone, and to rails facts alone', async (scope) => {
    await addKey(api.db, 'm_one', `key_only_${scope}`, [scope]);
    api.client.reset();
    for (const [method, path, scopes] of routes) {
      const { status } = await api.call(method, path, undefined, { authorization: `Bearer key_only_${scope}` });
      expect([method, path, status === 403]).toEqual([method, path, !scopes.includes(scope)]);
    }
    expect(api.client.calls).toEqual([]);
  });
});
