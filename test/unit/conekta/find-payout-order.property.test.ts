import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, PAYOUT_ORDER_ID, REFERENCE, goldenPayoutOrder } from './golden.ts';
import type { Json } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

const RUNS = { numRuns: 300 };
const CREATED_AFTER = new Date('2026-03-01T12:00:00Z');
const CREATED_AFTER_S = CREATED_AFTER.getTime() / 1000;

let server: ScriptedServer;
let adapter: ConektaAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createConektaAdapter({ baseUrl: server.baseUrl, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

/** A provider whose search finds nothing, and whose list has pages of its own size. */
function provide(orders: readonly Json[], pageSize: number): void {
  server.script((response, request) => {
    const query = new URL(request.url, server.baseUrl).searchParams;
    if (query.has('search')) return respond(200, { object: 'list', has_more: false, data: [] })(response, request);
    const next = query.get('next');
    const start = next === null ? 0 : orders.findIndex(({ id }) => id === next) + 1;
    return respond(200, { object: 'list', has_more: start + pageSize < orders.length, data: orders.slice(start, start + pageSize) })(response, request);
  });
}

/** Seconds around the bound, near and far. */
const timeS = fc.oneof(fc.integer({ min: -4000, max: 4000 }), fc.integer({ min: -100_000, max: -4000 }), fc.integer({ min: 0, max: 100_000 }), fc.constantFrom(-3600, -3601, -3661)).map((offset) => CREATED_AFTER_S + offset);
const readable = fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
const other = fc.record({ timeS, readable });
/** Ours is made after the instant given, by a clock that may be an hour behind. */
const ours = fc.option(fc.record({ timeS: fc.integer({ min: -3600, max: 5000 }).map((offset) => CREATED_AFTER_S + offset), readable }), { freq: 2 });

describe('findPayoutOrder in a list of any pages', () => {
  it('should be null only where there is none, newest first or oldest first (S4)', async () => {
    const seen = { found: 0, absent: 0, endedEarly: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(other, { maxLength: 18, size: 'max' }), ours, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (others, own, pageSize, isOldestFirst) => {
        const all = [...others.map((each, at) => ({ ...each, id: `other-${at}`, reference: 'other' })), ...(own === null ? [] : [{ ...own, id: PAYOUT_ORDER_ID, reference: REFERENCE }])];
        const sorted = all.toSorted((a, b) => (isOldestFirst ? a.timeS - b.timeS : b.timeS - a.timeS));
        provide(sorted.map((each) => goldenPayoutOrder({ id: each.id, metadata: { reintegro_id: each.reference }, created_at: each.readable ? each.timeS : null })), pageSize);
        const found = await adapter.findPayoutOrder(CALL, REFERENCE, CREATED_AFTER);
        expect(found?.providerPayoutOrderId).toBe(own === null ? undefined : PAYOUT_ORDER_ID);
        seen[own === null ? 'absent' : 'found'] += 1;
        if (own === null && server.seen.length - 1 < Math.ceil(all.length / pageSize)) seen.endedEarly += 1;
      }),
      RUNS,
    );
    expect(Math.min(seen.found, seen.absent, seen.endedEarly)).toBeGreaterThan(RUNS.numRuns / 50);
  });
});
