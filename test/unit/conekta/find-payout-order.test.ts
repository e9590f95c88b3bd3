import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, PAYOUT_ORDER_ID, REFERENCE, failureOf, goldenPayoutOrder } from './golden.ts';
import type { Json } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

const CREATED_AFTER = new Date('2026-03-01T12:00:00Z');
/** One hour earlier, unix seconds: what is older than this is not ours. */
const BOUND_S = 1_772_362_800;

let server: ScriptedServer;
let adapter: ConektaAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createConektaAdapter({ baseUrl: server.baseUrl, timeoutMs: 60_000 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

const foreign = (id: string, createdAtS?: unknown): Json =>
  goldenPayoutOrder({ id, metadata: { reintegro_id: `not-${REFERENCE}` }, ...(createdAtS === undefined ? {} : { created_at: createdAtS }) });
const page = (data: readonly Json[], hasMore = false): Json => ({ object: 'list', has_more: hasMore, next_page_url: 'http://elsewhere.invalid/', data });
const NONE = page([]);
const OURS = page([goldenPayoutOrder()]);

/** One answer per request to the search and to the list; the last one for ever. */
function serve(search: readonly Json[], list: readonly Json[], onRequest: () => void = () => undefined) {
  const asked = { search: 0, list: 0 };
  server.script((response, request) => {
    const kind = request.url.includes('search=') ? 'search' : 'list';
    const pages = kind === 'search' ? search : list;
    respond(200, pages[Math.min(asked[kind], pages.length - 1)])(response, request);
    asked[kind] += 1;
    onRequest();
  });
  return adapter.findPayoutOrder(CALL, REFERENCE, CREATED_AFTER);
}
const urls = () => server.seen.map(({ url }) => url);

describe('findPayoutOrder', () => {
  it('should find the one that carries our reference among others (S4)', async () => {
    const found = await serve([page([foreign('a'), goldenPayoutOrder(), goldenPayoutOrder({ id: 'b', metadata: null })])], [NONE]);
    expect(found).toMatchObject({ providerPayoutOrderId: PAYOUT_ORDER_ID, reference: REFERENCE, status: 'cancelled' });
    expect(urls()).toEqual([`/payout_orders?search=${REFERENCE}&limit=250`]);
  });

  it('should find it in the list when the search does not look into metadata (S4)', async () => {
    for (const blind of [NONE, page([foreign('a')])]) {
      const found = await serve([blind], [page([foreign('a'), goldenPayoutOrder()])]);
      expect(found?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
      expect(urls()).toEqual([`/payout_orders?search=${REFERENCE}&limit=250`, '/payout_orders?limit=250']);
    }
  });

  it('should be null when neither the search nor the whole list shows it (S4)', async () => {
    expect(await serve([NONE], [NONE])).toBeNull();
    expect(await serve([page([foreign('a')])], [page([foreign('a'), foreign('b')], true), page([foreign('c')])])).toBeNull();
  });

  it('should read the following pages from the last id on, never from an address in the answer', async () => {
    const pages = [page([foreign('a'), foreign('b')], true), OURS];
    expect((await serve(pages, [NONE]))?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
    expect(urls()).toEqual([`/payout_orders?search=${REFERENCE}&limit=250`, `/payout_orders?search=${REFERENCE}&limit=250&next=b`]);
    expect((await serve([NONE], pages))?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
    expect(urls().slice(1)).toEqual(['/payout_orders?limit=250', '/payout_orders?limit=250&next=b']);
  });

  it('should read the list when the search does not search: two pages of others, and more', async () => {
    const search = [page([foreign('a')], true), page([foreign('b')], true), OURS];
    expect(await serve(search, [NONE])).toBeNull();
    expect(urls()).toHaveLength(3);
  });

  it('should be content with the one that is shown first: there is no second without a proof of absence', async () => {
    const another = page([goldenPayoutOrder({ id: 'b' })]);
    expect((await serve([OURS], [another]))?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
    expect((await serve([NONE], [page([goldenPayoutOrder()], true), another]))?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
    expect(urls()).toHaveLength(2);
  });

  const BROKEN: readonly (readonly [string, readonly Json[]])[] = [
    ['an empty page says there are more', [page([], true)]],
    ['the cursor does not advance', [page([foreign('a')], true)]],
    ['the cursor goes round in a circle', [page([foreign('a')], true), page([foreign('b'), foreign('a')], true)]],
    ['two carry our reference', [page([goldenPayoutOrder(), goldenPayoutOrder({ id: 'b' })])]],
    ['ours has an unknown status', [page([goldenPayoutOrder({ status: 'perhaps' })])]],
    ['a reference is not text', [page([goldenPayoutOrder({ metadata: { reintegro_id: 7 } })])]],
    ['the list does not say whether there are more', [{ object: 'list', data: [] }]],
    ['there is no list', [{ object: 'list', has_more: false }]],
  ];
  it.each(BROKEN)('should be unknown when in the search %s (S6, S7)', async (_title, pages) => {
    expect((await failureOf(serve(pages, [NONE]))).kind).toBe('unknown');
    expect(urls().length).toBeLessThanOrEqual(2);
  });
  it.each(BROKEN)('should be unknown when in the list %s (S6, S7)', async (_title, pages) => {
    expect((await failureOf(serve([NONE], pages))).kind).toBe('unknown');
    expect(urls().length).toBeLessThanOrEqual(3);
  });
  it('should be unknown when two pages of the search carry our reference (S6)', async () => {
    const pages = [page([goldenPayoutOrder()], true), page([goldenPayoutOrder({ id: 'b' })])];
    expect((await failureOf(serve(pages, [NONE]))).kind).toBe('unknown');
  });
});

describe('absence in findPayoutOrder', () => {
  /** Whether the list is read on after these items of `created_at`, one page each: the page after them carries ours. */
  async function isReadOn(...pages: readonly (readonly unknown[])[]): Promise<boolean> {
    const list = pages.map((times, pageAt) => page(times.map((time, itemAt) => foreign(`${pageAt}-${itemAt}`, time)), true));
    return (await serve([NONE], [...list, OURS])) !== null;
  }

  it('should be proved by a whole page older than an hour before the instant given, and not by less (S4)', async () => {
    const recent = [BOUND_S + 9000, BOUND_S + 100];
    expect(await isReadOn(recent, [BOUND_S - 1, BOUND_S - 2])).toBe(false);
    expect(urls()).toHaveLength(3);
    expect(await isReadOn(recent, [BOUND_S, BOUND_S - 2])).toBe(true);
    expect(await isReadOn(recent, [BOUND_S])).toBe(true);
    expect(await isReadOn([BOUND_S - 1, BOUND_S - 9000])).toBe(false);
    expect(await isReadOn([BOUND_S + 9000, BOUND_S - 9000])).toBe(true);
  });

  it.each([undefined, null, '2026-03-01', String(BOUND_S - 9000), 0, -1, BOUND_S - 9000.5, {}])('should not be proved by a page with an order created at %j: it may be new (S4)', async (unreadable) => {
    expect(await isReadOn([BOUND_S + 9000], [BOUND_S - 5000, unreadable])).toBe(true);
    expect(await isReadOn([BOUND_S + 9000, unreadable], [BOUND_S - 5000])).toBe(false);
  });

  it('should not be proved by age where the list is not newest first, but for a minute of disorder (S4)', async () => {
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 8940, BOUND_S - 20_000])).toBe(false);
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 8939, BOUND_S - 20_000])).toBe(true);
    expect(await isReadOn([BOUND_S + 9000, BOUND_S + 10_000], [BOUND_S - 9000])).toBe(true);
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 8970, BOUND_S - 8939, BOUND_S - 20_000])).toBe(true);
  });

  it('should not be proved by old orders at the start of a list that may be oldest first (S4)', async () => {
    expect(await isReadOn([BOUND_S - 9000])).toBe(true);
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 8990], [BOUND_S - 8980, BOUND_S - 8970])).toBe(true);
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 9060])).toBe(true);
    expect(await isReadOn([BOUND_S - 9000, BOUND_S - 9061])).toBe(false);
  });

  it('should not be proved by a list that leaves the metadata out everywhere: ours would not be known in it (S4)', async () => {
    const bare = (id: string, createdAtS: number): Json => goldenPayoutOrder({ id, metadata: undefined, created_at: createdAtS });
    expect((await failureOf(serve([NONE], [page([bare('a', BOUND_S)])]))).kind).toBe('unknown');
    expect((await failureOf(serve([NONE], [page([bare('a', BOUND_S), bare('b', BOUND_S - 9000)], true), page([bare('c', BOUND_S - 9001)], true)]))).kind).toBe('unknown');
    expect(await serve([NONE], [page([bare('a', BOUND_S), foreign('b')])])).toBeNull();
  });

  it('should not be proved by twenty pages that say there are more (S4, S6)', async () => {
    const pages = (hasMore: boolean) => Array.from({ length: 20 }, (_, at) => page([foreign(`p${at}`)], hasMore || at < 19));
    expect((await failureOf(serve([NONE], [...pages(true), OURS]))).kind).toBe('unknown');
    expect(urls()).toHaveLength(21);
    expect(await serve([NONE], pages(false))).toBeNull();
  });

  it('should not be proved, nor looked for, beyond thirty seconds in all (S4, S6)', async () => {
    const realNow = performance.now.bind(performance);
    let laterMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => realNow() + laterMs);
    const list = Array.from({ length: 9 }, (_, at) => page([foreign(`p${at}`)], at < 8));
    const failure = await failureOf(serve([NONE], list, () => { laterMs += 10_000; }));
    expect(failure.kind).toBe('unknown');
    expect(urls()).toHaveLength(3);
  });

  it('should not wait for one page longer than for all (S4, S6)', { timeout: 10_000 }, async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.script((response, request) => {
      if (request.url.includes('search=')) respond(200, NONE)(response, request);
      else vi.advanceTimersByTime(30_000);
    });
    expect((await failureOf(adapter.findPayoutOrder(CALL, REFERENCE, CREATED_AFTER))).kind).toBe('unknown');
    expect(urls()).toHaveLength(2);
  });
});
