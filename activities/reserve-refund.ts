import { checkDemands } from '../src/domain/checkpoint.ts';
import { legId } from '../src/domain/leg.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { configuredEntry, MissingProviderError, refundProtocol } from '../src/providers/registry.ts';
import type { ProviderEntry } from '../src/providers/registry.ts';
import { saveOrder } from '../src/store/orders.ts';
import { readReservable } from '../src/store/refunds/reservable.ts';
import { recordUnreadableOrder, reserveRefund as reserve } from '../src/store/refunds/reserve.ts';
import type { Reservation } from '../src/store/refunds/reserve.ts';
import type { Acting } from '../src/store/transitions.ts';
import type { RefundRequest, ReserveRefundResult, WorkflowRef } from './contracts.ts';
import type { RefundActivityDeps } from './refund-recognition.ts';

/**
 * Reserves from what is on record; the first refund of an order reads the order before. A refusal may come from an old snapshot, so the order is
 * read once more before a refusal is final. Dies anywhere: nothing was sent, and the repeated call finds what stands.
 * @throws UnreadableDemandError before anything is on record
 */
export async function reserveRefund(deps: RefundActivityDeps, input: RefundRequest & WorkflowRef): Promise<ReserveRefundResult> {
  checkDemands(input);
  const { provider, policy, isNewOrder } = await readReservable(deps.db, input);
  const acting: Acting = { workflowId: input.workflowId, runId: input.runId, actor: input.requestedBy };
  const entry = configuredEntry(deps.providers, provider);
  const request = { ...input, provider, gated: entry?.adapter.idempotency === 'balance', policy, demands: input };
  // It waits on record until the provider is configured.
  if (entry === null) {
    await recordUnreadableOrder(deps.db, acting, { ...request, recordRefusal: true });
    return { kind: 'not_yet', retryAfterMs: null };
  }
  let reservation: Reservation | null = isNewOrder ? null : await reserve(deps.db, acting, { ...request, recordRefusal: false });
  if (reservation === null || reservation.kind === 'refused') {
    const unreadable = await refreshOrder(deps, entry, input);
    if (unreadable !== null) {
      await recordUnreadableOrder(deps.db, acting, { ...request, recordRefusal: true });
      return unreadable;
    }
    reservation = await reserve(deps.db, acting, { ...request, recordRefusal: true });
  }
  if (reservation.kind !== 'reserved') return reservation;
  const amountMinor = reservation.legs.reduce((sum, leg) => sum + leg.amountMinor, 0);
  return { ...toldReservation(reservation, input), provider, amountMinor, protocol: refundProtocol(entry) };
}

/** What a history need not keep of a reservation is left out: what is as asked, and what says nothing. */
function toldReservation({ kind, currency, legs, alreadySent, checkpoints, fingerprint, requestedBy }: Extract<Reservation, { kind: 'reserved' }>, asked: RefundRequest) {
  return {
    kind, currency, legs: legs.map(({ legId: id, lastSend, ...leg }) => ({ ...leg, ...(id === legId(asked.refundId, leg.chargeId) ? {} : { legId: id }), ...(lastSend === 0 ? {} : { lastSend }) })),
    ...(alreadySent ? { alreadySent } : {}), ...(checkpoints.length === 0 ? {} : { checkpoints }),
    ...(fingerprint === asked.fingerprint ? {} : { fingerprint }), ...(requestedBy === asked.requestedBy ? {} : { requestedBy }),
  };
}

/** Reads the order anew. Answers how to go on when it could not be read, `null` when it was read or is surely not there. */
async function refreshOrder(deps: RefundActivityDeps, entry: ProviderEntry, input: RefundRequest): Promise<Extract<ReserveRefundResult, { kind: 'not_yet' }> | null> {
  const readAt = new Date();
  try {
    const order = await entry.adapter.getOrder({ credential: deps.providers.credential(input.merchantId, entry.adapter.name) }, input.orderId);
    await saveOrder(deps.db, input.merchantId, entry.adapter.name, order, readAt);
  } catch (error) {
    if (error instanceof MissingProviderError) return { kind: 'not_yet', retryAfterMs: null };
    if (!(error instanceof ProviderError)) throw error;
    // An order the provider does not know is refused as unknown; every other failure means: read again.
    if (error.kind !== 'not_found') return { kind: 'not_yet', retryAfterMs: error.details.retryAfterMs ?? null };
  }
  return null;
}
