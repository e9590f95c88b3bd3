import type { SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import { invalidParameter } from './conekta-refusals.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** Query of a list (CONTRACT, Lists): at most one of `next` and `previous` counts, `next` first. */
export const listQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(250).default(20),
  next: z.string().min(1).optional(),
  previous: z.string().min(1).optional(),
  search: z.string().optional(),
  payment_status: z.string().optional(),
});

/** A parsed list query. */
export type ListQuery = z.output<typeof listQuerySchema>;

/** Which rows a list is of: a table with `seq`, `id` and `key_hash`, and a further condition. */
export interface ListSource {
  readonly table: 'orders' | 'payout_orders';
  readonly keyHash: string;
  readonly condition: string;
  readonly parameters: readonly SQLInputValue[];
}

/** One page of ids, newest first, and whether there is more on either side. */
export interface ListPage {
  readonly ids: readonly string[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  readonly total: number;
}

/**
 * Reads one page of a list, newest first.
 * @throws ConektaError 422 when the id to go on from is not in the list.
 */
export function readPage(db: SandboxDatabase, source: ListSource, query: ListQuery): ListPage {
  const from = `FROM ${source.table} WHERE key_hash = ? AND (${source.condition})`;
  const parameters = [source.keyHash, ...source.parameters];
  const total = db.get<{ count: number }>(`SELECT count(*) AS count ${from}`, ...parameters)?.count ?? 0;
  const backwards = query.next === undefined && query.previous !== undefined;
  const cursor = query.next ?? query.previous;
  const bound = cursor === undefined ? '' : `AND seq ${backwards ? '>' : '<'} ?`;
  const cursorSeq = cursor === undefined ? [] : [seqOf(db, source, cursor, backwards ? 'previous' : 'next')];
  const rows = db.all<{ id: string }>(
    `SELECT id ${from} ${bound} ORDER BY seq ${backwards ? 'ASC' : 'DESC'} LIMIT ?`, ...parameters, ...cursorSeq, query.limit + 1,
  );
  const hasMore = rows.length > query.limit;
  const ids = rows.slice(0, query.limit).map((row) => row.id);
  if (backwards) return { ids: ids.reverse(), hasOlder: true, hasNewer: hasMore, total };
  return { ids, hasOlder: hasMore, hasNewer: cursor !== undefined, total };
}

/** Renders a page with the addresses of its neighbours (CONTRACT, Lists). `address` is the list's own, without query. */
export function renderPage(page: ListPage, address: string, query: ListQuery, data: readonly unknown[]): Record<string, unknown> {
  const neighbour = (direction: 'next' | 'previous', id: string | undefined): string | null => {
    if (id === undefined) return null;
    const parameters = new URLSearchParams({ limit: String(query.limit) });
    if (query.search !== undefined) parameters.set('search', query.search);
    if (query.payment_status !== undefined) parameters.set('payment_status', query.payment_status);
    parameters.set(direction, id);
    return `${address}?${parameters.toString()}`;
  };
  const isBackwards = query.next === undefined && query.previous !== undefined;
  return {
    object: 'list',
    has_more: isBackwards ? page.hasNewer : page.hasOlder,
    next_page_url: neighbour('next', page.hasOlder ? page.ids.at(-1) : undefined),
    previous_page_url: neighbour('previous', page.hasNewer ? page.ids[0] : undefined),
    data,
  };
}

function seqOf(db: SandboxDatabase, source: ListSource, id: string, parameter: 'next' | 'previous'): number {
  const row = db.get<{ seq: number }>(`SELECT seq FROM ${source.table} WHERE id = ? AND key_hash = ?`, id, source.keyHash);
  if (row === undefined) throw invalidParameter(parameter, `El parametro "${parameter}" es inválido.`, `The "${parameter}" is invalid.`);
  return row.seq;
}
