import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, PAYOUT_ORDER_ID, REFERENCE, failureOf, goldenPayoutOrder } from './golden.ts';
import type { Json } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

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

const foreign = (id: string): Json => goldenPayoutOrder({ id, metadata: { reintegro_id: `not-${REFERENCE}` } });
const page = (data: readonly Json[], hasMore = false): Json => ({ object: 'list', has_more: hasMore, next_page_url: 'http://elsewhere.invalid/', data });

/** Serves these pages, one per request; the last one for ever. */
function servePages(pages: readonly Json[]) {
  let asked = 0;
  server.script((response, request) => {
    respond(200, pages[Math.min(asked, pages.length - 1)])(response, request);
    asked += 1;
  });
  return adapter.findPayoutOrder(CALL, REFERENCE);
}

describe('findPayoutOrder', () => {
  it('should find the one that carries our reference among others (S4)', async () => {
    const found = await servePages([page([foreign('a'), goldenPayoutOrder(), goldenPayoutOrder({ id: 'b', metadata: null })])]);
    expect(found).toMatchObject({ providerPayoutOrderId: PAYOUT_ORDER_ID, reference: REFERENCE, status: 'cancelled' });
    expect(server.seen.map(({ url }) => url)).toEqual([`/payout_orders?search=${REFERENCE}&limit=250`]);
  });

  it('should be null when the whole list carries none (S4)', async () => {
    expect(await servePages([page([foreign('a')])])).toBeNull();
    expect(await servePages([page([])])).toBeNull();
  });

  it('should read the following pages from the last id on, never from an address in the answer', async () => {
    const found = await servePages([page([foreign('a'), foreign('b')], true), page([goldenPayoutOrder()])]);
    expect(found?.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
    expect(server.seen.map(({ url }) => url)).toEqual([`/payout_orders?search=${REFERENCE}&limit=250`, `/payout_orders?search=${REFERENCE}&limit=250&next=b`]);
  });

  it.each<[string, readonly Json[]]>([
    ['the pages do not end', [page([foreign('a')], true)]],
    ['an empty page says there are more', [page([], true)]],
    ['two carry our reference', [page([goldenPayoutOrder(), goldenPayoutOrder({ id: 'b' })])]],
    ['two carry our reference on two pages', [page([goldenPayoutOrder()], true), page([goldenPayoutOrder({ id: 'b' })])]],
    ['ours has an unknown status', [page([goldenPayoutOrder({ status: 'perhaps' })])]],
    ['a reference is not text', [page([goldenPayoutOrder({ metadata: { reintegro_id: 7 } })])]],
    ['the list does not say whether there are more', [{ object: 'list', data: [] }]],
    ['there is no list', [{ object: 'list', has_more: false }]],
  ])('should be unknown when %s (S6, S7)', async (_title, pages) => {
    expect((await failureOf(servePages(pages))).kind).toBe('unknown');
  });
});
