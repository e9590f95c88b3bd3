import { recogniseRefund } from '../src/domain/send-protocol.ts';
import type { ListedRefund } from '../src/domain/send-protocol.ts';
import type { ProviderOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { MAX_PAUSE_BEFORE_SEND_MS, quietMs, refundProtocol } from '../src/providers/registry.ts';
import type { ProviderEntry, ProviderRegistry } from '../src/providers/registry.ts';
import { openCase } from '../src/store/cases.ts';
import type { Database } from '../src/store/database.ts';
import { providerOf } from '../src/store/merchants.ts';
import { knownProviderRefunds, saveOrder } from '../src/store/orders.ts';
import { cancelRefund } from '../src/store/refunds/cancel.ts';
import { reserveRefund } from '../src/store/refunds/reserve.ts';
import type { Reservation } from '../src/store/refunds/reserve.ts';
import { beginSend, fenceSend, markNotSent, markUnknown, readLeg, takeTurn } from '../src/store/refunds/send.ts';
import type { LegRecord } from '../src/store/refunds/send.ts';
import { settleLeg, standingLeg } from '../src/store/refunds/settle.ts';
import type { LegResult, SettledLeg } from '../src/store/refunds/settle.ts';
import type { Acting } from '../src/store/transitions.ts';
import type { FindOutcome, RefundActivities, RefundRequest, ReserveRefundResult, SendOutcome, SubmitRefundInput, WorkflowRef } from './contracts.ts';
import { withFailures } from './failures.ts';
import { isGivenUp, withHeartbeat } from './heartbeat.ts';

/** What refund Activities need. */
export interface RefundActivityDeps {
  readonly db: Database;
  readonly providers: ProviderRegistry;
}

/** Makes the Activities of refunds. */
export function createRefundActivities(deps: RefundActivityDeps): RefundActivities {
  return withFailures<RefundActivities>({
    reserveRefund: (input) => reserve(deps, input),
    takeTurn: async (leg) => ({ hasTurn: await takeTurn(deps.db, leg) }),
    cancelRefund: async (input) => ({ nextTurns: await cancelRefund(deps.db, input, input.merchantId, input.refundId) }),
    submitRefund: (input) => withHeartbeat(() => submit(deps, input)),
    findRefund: (input) => withHeartbeat(() => find(deps, input)),
    openCase: (input) => openCase(deps.db, input),
  });
}

/**
 * Reserves from what is on record. A refusal may come from an old snapshot, so the order is read once more before a
 * refusal is final. Dies anywhere: nothing was sent, and the repeated call finds what stands.
 */
async function reserve(deps: RefundActivityDeps, input: RefundRequest & WorkflowRef): Promise<ReserveRefundResult> {
  const provider = await providerOf(deps.db, input.merchantId);
  const entry = deps.providers.entry(provider);
  const request = { ...input, gated: entry.adapter.idempotency === 'balance' };
  const acting: Acting = { ...input, actor: input.requestedBy };
  let reservation: Reservation = await reserveRefund(deps.db, acting, { ...request, recordRefusal: false });
  if (reservation.kind === 'refused') {
    await refreshOrder(deps, entry, input);
    reservation = await reserveRefund(deps.db, acting, { ...request, recordRefusal: true });
  }
  if (reservation.kind !== 'reserved') return reservation;
  const amountMinor = reservation.legs.reduce((sum, leg) => sum + leg.amountMinor, 0);
  return { ...reservation, provider, amountMinor, protocol: refundProtocol(entry) };
}

async function refreshOrder(deps: RefundActivityDeps, entry: ProviderEntry, input: RefundRequest): Promise<void> {
  const readAt = new Date();
  try {
    const order = await entry.adapter.getOrder({ credential: deps.providers.credential(input.merchantId, entry.adapter.name) }, input.orderId);
    await saveOrder(deps.db, input.merchantId, entry.adapter.name, order, readAt);
  } catch (error) {
    // An order the provider does not know is refused as unknown; every other failure means: read again.
    if (!(error instanceof ProviderError && error.kind === 'not_found')) throw error;
  }
}

/** What one send works with. */
interface Sending {
  readonly deps: RefundActivityDeps;
  readonly input: SubmitRefundInput;
  readonly acting: Acting;
  readonly leg: LegRecord;
  readonly entry: ProviderEntry;
  readonly credential: string;
}

async function prepare(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<Sending> {
  const provider = await providerOf(deps.db, input.merchantId);
  return {
    deps, input, acting: { ...input, actor: 'reintegro' }, leg: await readLeg(deps.db, input),
    entry: deps.providers.entry(provider), credential: deps.providers.credential(input.merchantId, provider),
  };
}

/**
 * One send (S4, S5). If the process dies:
 * - before `beginSend` commits: nothing was sent, the leg is still `reserved`, the look says `never_sent`;
 * - between that commit and the call: the leg is `sending`, the look finds nothing after the settle delay, it is sent again;
 * - during or after the call, before `settleLeg` commits: the look finds the refund by the list taken before, and settles;
 * - after `settleLeg`: the look finds the leg settled.
 */
async function submit(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<SendOutcome> {
  const sending = await prepare(deps, input);
  let order: ProviderOrder;
  let before: readonly ListedRefund[];
  try {
    order = await readOrder(sending);
    before = refundsOf(order, sending.leg.chargeId);
  } catch (error) {
    if (error instanceof ProviderError) return { kind: 'not_sent', retryAfterMs: error.details.retryAfterMs ?? null };
    throw error;
  }
  const late = await recogniseEarlierSend(sending, order);
  if (late !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, late));
  const permit = await beginSend(deps.db, sending.acting, input, input.sendNumber, before.map((refund) => refund.providerRefundId));
  const permittedAt = Date.now();
  if (permit.kind === 'settled') return settledOutcome(await standingLeg(deps.db, sending.acting, input));
  if (permit.kind === 'fenced') return { kind: 'unknown' };
  if (isGivenUp() || Date.now() - permittedAt > MAX_PAUSE_BEFORE_SEND_MS) return notSent(sending, null);
  return call(sending, before);
}

async function call(sending: Sending, before: readonly ListedRefund[]): Promise<SendOutcome> {
  const { deps, input, leg, entry, credential } = sending;
  try {
    const order = await entry.adapter.submitRefund({ credential }, {
      orderId: leg.orderId, chargeId: leg.chargeId, amountMinor: leg.amountMinor, currency: leg.currency, reason: leg.reason ?? undefined, reference: input.legId,
    });
    const result = await recognise(sending, order, before.map((refund) => refund.providerRefundId));
    if (result !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, result));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'declined') return declined(sending, error);
    if (error.kind === 'not_sent') return notSent(sending, error.details.retryAfterMs ?? null);
  }
  // Timeout, reset, 5xx, unreadable, or a success that shows no new refund (S7): to be verified.
  await markUnknown(deps.db, input, input.sendNumber);
  return { kind: 'unknown' };
}

async function notSent({ deps, input, leg }: Sending, retryAfterMs: number | null): Promise<SendOutcome> {
  await markNotSent(deps.db, input, input.sendNumber, mayHaveBeenExecuted(leg) ? 'unknown' : 'reserved');
  return { kind: 'not_sent', retryAfterMs };
}

/** A refusal of a repeated send may only say that the first one was executed after all: look before believing it. */
async function declined(sending: Sending, error: ProviderError): Promise<SendOutcome> {
  const { deps, input, acting } = sending;
  if (mayHaveBeenExecuted(sending.leg)) {
    await markUnknown(deps.db, input, input.sendNumber);
    const late = await recogniseEarlierSend(sending, await readOrder(sending));
    if (late !== null) return settledOutcome(await settleLeg(deps.db, acting, input, late));
  }
  return settledOutcome(await settleLeg(deps.db, acting, input, { kind: 'refused', refusal: error.details.providerCode ?? 'refused_by_provider' }));
}

/** Looks for a leg whose outcome is unknown (S4). Only reads and settles, so it may be repeated at will. */
async function find(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<FindOutcome> {
  const sending = await prepare(deps, input);
  const fenced = await fenceSend(deps.db, input, input.sendNumber, quietMs(sending.entry));
  if (fenced.kind === 'never_sent' || fenced.kind === 'too_early') return fenced;
  if (fenced.kind === 'settled') return foundOutcome(await standingLeg(deps.db, sending.acting, input));
  // Read again behind the fence: the send may have begun, and written its list down, since the first reading.
  const leg = await readLeg(deps.db, input);
  const result = await recognise(sending, await readOrder(sending), leg.refundsBefore);
  return result === null ? { kind: 'absent' } : foundOutcome(await settleLeg(deps.db, sending.acting, input, result));
}

/** Whether an earlier send of the leg may have been executed after all. Only then may a new refund of the charge be its own. */
function mayHaveBeenExecuted(leg: LegRecord): boolean {
  return leg.status === 'unknown' || leg.status === 'sending';
}

/** Recognises what an earlier send did later than its settle delay, by the list from before that send. */
async function recogniseEarlierSend(sending: Sending, order: ProviderOrder): Promise<LegResult | null> {
  return mayHaveBeenExecuted(sending.leg) ? recognise(sending, order, sending.leg.refundsBefore) : null;
}

async function recognise(sending: Sending, order: ProviderOrder, before: readonly string[]): Promise<LegResult | null> {
  const { deps, input, leg } = sending;
  const others = await knownProviderRefunds(deps.db, input.merchantId, leg.chargeId);
  const mine = recogniseRefund(refundsOf(order, leg.chargeId), leg.amountMinor, before, others);
  return mine === null ? null : { kind: 'succeeded', providerRefundId: mine.providerRefundId, order, seenAt: new Date() };
}

function readOrder({ entry, credential, leg }: Sending): Promise<ProviderOrder> {
  return entry.adapter.getOrder({ credential }, leg.orderId);
}

/** The refunds a charge lists. @throws ProviderError `unknown` when the order no longer shows the charge. */
function refundsOf(order: ProviderOrder, chargeId: string): readonly ListedRefund[] {
  const charge = order.charges.find((candidate) => candidate.chargeId === chargeId);
  if (charge === undefined) throw new ProviderError('unknown', 'the order does not show the charge');
  return charge.refunds;
}

function settledOutcome(leg: SettledLeg): SendOutcome {
  return { kind: leg.legStatus === 'succeeded' ? 'accepted' : 'declined', ...settledFacts(leg) };
}

function foundOutcome(leg: SettledLeg): FindOutcome {
  return { kind: leg.legStatus === 'succeeded' ? 'found' : 'declined', ...settledFacts(leg) };
}

function settledFacts({ refundStatus, statusDetail, nextTurn }: SettledLeg) {
  return { refundStatus, statusDetail, nextTurn };
}

