import type { FastifyInstance, FastifyRequest } from 'fastify';
import { payoutDeclined, payoutNotCancellable, readDeclined } from './conekta-refusals.ts';
import { scheduleWork } from './due-work.ts';
import { runCall, type FaultableCall, type Outcome } from './fault-call.ts';
import type { HeldReplies } from './held-replies.ts';
import { listQuerySchema, readPage, renderPage, type ListQuery } from './list-page.ts';
import { parseRequest } from './parse-request.ts';
import { cancelPayoutOrder, createPayoutOrder } from './payout-lifecycle.ts';
import { creationScope, ownIdOf, payoutIdsOf, requirePayoutOrder, type PayoutRecord } from './payout-records.ts';
import { payoutOrderRequestSchema, type PayoutOrderRequest } from './payout-requests.ts';
import { renderPayoutOrder } from './payout-view.ts';
import type { SandboxContext } from './sandbox-context.ts';
import type { SandboxDatabase } from './sandbox-database.ts';
import { sendOutcome } from './send-outcome.ts';

/** Registers Conekta's payout orders (CONTRACT §3). */
export function registerPayoutRoutes(app: FastifyInstance, context: SandboxContext, held: HeldReplies): void {
  const { db } = context;
  const run = ({ nowMs }: FastifyRequest, call: () => FaultableCall): Outcome => db.transaction(() => runCall(db, call(), nowMs));

  app.post('/payout_orders', (request, reply) => {
    const body = parseRequest(payoutOrderRequestSchema, request.body);
    return sendOutcome(reply, held, run(request, () => createCall(context, request, body)));
  });

  app.get('/payout_orders', (request, reply) => {
    const query = parseRequest(listQuerySchema, request.query);
    const address = `${request.protocol}://${request.host}/payout_orders`;
    const payoutIds = query.search === undefined ? [] : [query.search];
    return sendOutcome(reply, held, run(request, () => findCall(payoutIds, () => listPayoutOrders(db, request.keyHash, query, address))));
  });

  app.get<{ Params: { id: string } }>('/payout_orders/:id', (request, reply) => {
    const outcome = run(request, () => {
      const record = requirePayoutOrder(db, request.params.id, request.keyHash);
      return findCall(payoutIdsOf(record), () => renderPayoutOrder(record));
    });
    return sendOutcome(reply, held, outcome);
  });

  app.put<{ Params: { id: string } }>('/payout_orders/:id/cancel', (request, reply) => {
    const outcome = run(request, () => cancelCall(context, requirePayoutOrder(db, request.params.id, request.keyHash), request.nowMs));
    return sendOutcome(reply, held, outcome);
  });
}

function createCall(context: SandboxContext, { keyHash, nowMs }: FastifyRequest, request: PayoutOrderRequest): FaultableCall {
  const ownId = ownIdOf(request);
  return {
    operations: ['payout.create'],
    chargeIds: [],
    payoutIds: ownId === null ? [] : [ownId],
    magic: { scope: creationScope(keyHash, request), amountMinor: request.amount },
    declined: payoutDeclined,
    execute: (course) => renderPayoutOrder(createPayoutOrder(context, keyHash, request, course, nowMs)),
    executeLater: (dueAtMs) => scheduleWork(context.db, { kind: 'payout.create', keyHash, request }, dueAtMs),
  };
}

function cancelCall(context: SandboxContext, record: PayoutRecord, nowMs: number): FaultableCall {
  return {
    operations: ['payout.cancel'],
    chargeIds: [],
    payoutIds: payoutIdsOf(record),
    declined: payoutNotCancellable,
    execute: (course) => renderPayoutOrder(cancelPayoutOrder(context, record, course, nowMs)),
    executeLater: (dueAtMs) => scheduleWork(context.db, { kind: 'payout.cancel', payoutOrderId: record.id }, dueAtMs),
  };
}

function findCall(payoutIds: readonly string[], execute: () => unknown): FaultableCall {
  return { operations: ['payout.find'], chargeIds: [], payoutIds, declined: readDeclined, execute };
}

function listPayoutOrders(db: SandboxDatabase, keyHash: string, query: ListQuery, address: string): Record<string, unknown> {
  const page = readPage(db, {
    table: 'payout_orders',
    keyHash,
    // The whole id, part of the reason, or part of any value in the metadata.
    condition: `?2 IS NULL OR id = ?2 OR payout_id = ?2 OR instr(lower(reason), lower(?2))
      OR EXISTS (SELECT 1 FROM json_tree(metadata) WHERE instr(lower(CAST(atom AS TEXT)), lower(?2)))`,
    parameters: [query.search ?? null],
  }, query);
  return renderPage(page, address, query, page.ids.map((id) => renderPayoutOrder(requirePayoutOrder(db, id))));
}
