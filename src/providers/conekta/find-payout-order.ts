import type { z } from 'zod';
import type { ProviderCall, ProviderPayoutOrder } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import type { WireClient } from '../wire/client.ts';
import { AgeBound } from './age-bound.ts';
import { LABEL, conektaAnswers } from './answers.ts';
import { REFERENCE_FIELD, toProviderPayoutOrder } from './map.ts';
import { payoutOrderPageSchema, payoutOrderSchema } from './schemas.ts';

/** Conekta's largest page. */
const PAGE_SIZE = 250;
/** A search for a GUID that fills more pages than this does not search; the list is read anyway. */
const MAX_SEARCH_PAGES = 2;
/** Pages of the list read before giving up: absence is then not proved. */
const MAX_LIST_PAGES = 20;
/** All pages together, in milliseconds: less than the 45 s in which an Activity must be over. */
const TOTAL_MS = 30_000;

type Page = z.input<typeof payoutOrderPageSchema>;
type Listed = Page['data'][number];

/** One look: for what, and until when (on the clock of `performance.now()`). */
interface Look {
  readonly client: WireClient;
  readonly call: ProviderCall;
  readonly reference: string;
  readonly deadlineAtMs: number;
}

function unknown(why: string): ProviderError {
  return new ProviderError('unknown', `${LABEL}: ${why}`);
}

async function readPage({ client, call, deadlineAtMs }: Look, query: Readonly<Record<string, string>>): Promise<Page> {
  // Checked here, since a request that is not written any more would be `not_sent`: that speaks of one page, not of the look.
  if (performance.now() >= deadlineAtMs) throw unknown('the payout orders were not read within the deadline');
  const path = `/payout_orders?${new URLSearchParams(query).toString()}`;
  const answer = await client.send({ credential: call.credential, method: 'GET', path, deadlineAtMs: Math.min(deadlineAtMs, client.deadlineAtMs()) });
  return conektaAnswers.check(payoutOrderPageSchema, conektaAnswers.read(answer, 'search'));
}

/** Reads page after page, from the last id on. An id met twice is `unknown`: the cursor does not lead through the whole list. */
async function* pagesOf(look: Look, query: Readonly<Record<string, string>>): AsyncGenerator<Page, void, undefined> {
  const seen = new Set<string>();
  let cursor: { readonly next?: string } = {};
  for (;;) {
    const page = await readPage(look, { ...query, limit: String(PAGE_SIZE), ...cursor });
    for (const { id } of page.data) {
      if (seen.has(id)) throw unknown('a payout order is listed twice');
      seen.add(id);
    }
    const next = page.data.at(-1)?.id;
    if (page.has_more && next === undefined) throw unknown('an empty page that says there are more');
    yield page;
    if (!page.has_more || next === undefined) return;
    cursor = { next };
  }
}

function oursOf(page: Page, reference: string): readonly Listed[] {
  return page.data.filter((item) => item.metadata?.[REFERENCE_FIELD] === reference);
}

function onlyOf(ours: readonly Listed[]): Listed | null {
  if (ours.length > 1) throw unknown('more than one payout order carries the reference');
  return ours[0] ?? null;
}

/** Asks for our reference. Cheap, and proof of what it shows only: nobody promises that the search looks into metadata. */
async function findBySearch(look: Look): Promise<Listed | null> {
  const ours: Listed[] = [];
  let pages = 0;
  for await (const page of pagesOf(look, { search: look.reference })) {
    ours.push(...oursOf(page, look.reference));
    pages += 1;
    if (pages === MAX_SEARCH_PAGES) break;
  }
  return onlyOf(ours);
}

/** Reads the list itself, newest first, as far back as ours could be: `null` is proof that there is none. */
async function findInList(look: Look, createdAfter: Date): Promise<Listed | null> {
  const bound = new AgeBound(createdAfter);
  let [pages, items, withMetadata] = [0, 0, 0];
  for await (const page of pagesOf(look, {})) {
    const ours = onlyOf(oursOf(page, look.reference));
    if (ours !== null) return ours;
    items += page.data.length;
    withMetadata += page.data.filter(({ metadata }) => metadata !== undefined).length;
    if (bound.isPastAfter(page.data)) break;
    pages += 1;
    if (pages === MAX_LIST_PAGES && page.has_more) throw unknown('more pages of payout orders than are read');
  }
  // Metadata is optional in an answer: a list that leaves it out everywhere would not show ours as ours.
  if (items > 0 && withMetadata === 0) throw unknown('the list of payout orders shows no metadata');
  return null;
}

/**
 * Finds the payout order that carries our reference in its metadata: by search, and where that shows none by reading the
 * list back to an hour before `createdAfter`. `null` only when that was read and none carries it (S4).
 *
 * One that is shown is enough: a second could only come of a second send, which is made only after absence was proved,
 * so reading on for it would cost every look many pages. Two that are met all the same, pages that do not end in time or
 * number, and a cursor that does not advance are `unknown` (S6: nothing is guessed). All pages together take 30 s at most.
 */
export async function findPayoutOrder(client: WireClient, call: ProviderCall, reference: string, createdAfter: Date): Promise<ProviderPayoutOrder | null> {
  const look: Look = { client, call, reference, deadlineAtMs: performance.now() + TOTAL_MS };
  const found = (await findBySearch(look)) ?? (await findInList(look, createdAfter));
  return found === null ? null : toProviderPayoutOrder(conektaAnswers.check(payoutOrderSchema, found));
}
