import type { ProviderCall, ProviderPayoutOrder } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { checkAnswer, readAnswer } from './classify.ts';
import type { ConektaClient } from './client.ts';
import { REFERENCE_FIELD, toProviderPayoutOrder } from './map.ts';
import { payoutOrderPageSchema, payoutOrderSchema } from './schemas.ts';

/** Conekta's largest page. */
const PAGE_SIZE = 250;
/** Pages read before giving up: absence is then not proved. */
const MAX_PAGES = 8;

/** One page: which of it carry our reference, and where the next page starts. */
async function searchPage(client: ConektaClient, call: ProviderCall, reference: string, after: string | undefined, deadlineAtMs: number) {
  const query = new URLSearchParams({ search: reference, limit: String(PAGE_SIZE), ...(after === undefined ? {} : { next: after }) });
  const answer = await client.send({ credential: call.credential, method: 'GET', path: `/payout_orders?${query.toString()}`, deadlineAtMs });
  const page = checkAnswer(payoutOrderPageSchema, readAnswer(answer, 'search'));
  const next = page.has_more ? page.data.at(-1)?.id : undefined;
  if (page.has_more && next === undefined) throw new ProviderError('unknown', 'Conekta: an empty page that says there are more');
  return { ours: page.data.filter((item) => item.metadata?.[REFERENCE_FIELD] === reference), next };
}

/**
 * Finds the payout order that carries our reference, reading every page: `null` only when all were read and none does.
 * More pages than the bound, or two that carry it, are `unknown` (S6: nothing is guessed).
 */
export async function findPayoutOrder(client: ConektaClient, call: ProviderCall, reference: string): Promise<ProviderPayoutOrder | null> {
  const deadlineAtMs = client.deadlineAtMs();
  const found = new Map<string, unknown>();
  let after: string | undefined;
  for (let pageNumber = 1; pageNumber <= MAX_PAGES; pageNumber += 1) {
    const { ours, next } = await searchPage(client, call, reference, after, deadlineAtMs);
    for (const item of ours) found.set(item.id, item);
    if (next === undefined) {
      if (found.size > 1) throw new ProviderError('unknown', 'Conekta: more than one payout order carries the reference');
      const [only] = found.values();
      return only === undefined ? null : toProviderPayoutOrder(checkAnswer(payoutOrderSchema, only));
    }
    after = next;
  }
  throw new ProviderError('unknown', 'Conekta: more pages of payout orders than are read');
}
