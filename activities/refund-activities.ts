import { sumMinor } from '../src/domain/money.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import { recogniseRefund } from '../src/domain/send-protocol.ts';
import type { ListedRefund } from '../src/domain/send-protocol.ts';
import type { ProviderCharge, ProviderOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { MAX_PAUSE_BEFORE_SEND_MS, MissingProviderError, quietTime, refundProtocol } from '../src/providers/registry.ts';
import type { ProviderEntry, ProviderRegistry } from '../src/providers/registry.ts';
import { openCase } from '../src/store/cases.ts';
import type { Database } from '../src/store/database.ts';
import { providerOf } from '../src/store/merchants.ts';
import { knownProviderRefunds, saveOrder } from '../src/store/orders.ts';
import { cancelRefund } from '../src/store/refunds/cancel.ts';
import { recordUnreadableOrder, reserveRefund } from '../src/store/refunds/reserve.ts';
import type { Reservation } from '../src/store/refunds/reserve.ts';
import { beginSend, fenceSend, markNotSent, markUnknown, readLeg, takeTurn } from '../src/store/refunds/send.ts';
import type { LegRecord } from '../src/store/refunds/send.ts';
import { OutdatedRefusalError, settleLeg, standingLeg } from '../src/store/refunds/settle.ts';
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
    const unreadable = await refreshOrder(deps, entry, input);
    if (unreadable !== null) {
      await recordUnreadableOrder(deps.db, acting, { ...request, recordRefusal: true });
      return unreadable;
    }
    reservation = await reserveRefund(deps.db, acting, { ...request, recordRefusal: true });
  }
  if (reservation.kind !== 'reserved') return reservation;
  const amountMinor = reservation.legs.reduce((sum, leg) => sum + leg.amountMinor, 0);
  return { ...reservation, provider, amountMinor, protocol: refundProtocol(entry) };
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
  const readAt = new Date();
  let order: ProviderOrder;
  let charge: ProviderCharge;
  try {
    order = await readOrder(sending);
    charge = chargeOf(order, sending.leg.chargeId);
  } catch (error) {
    if (error instanceof ProviderError) return { kind: 'not_sent', retryAfterMs: error.details.retryAfterMs ?? null };
    throw error;
  }
  const late = await recogniseEarlierSend(sending, order);
  if (late !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, late));
  const refusal = refusalBySight(sending.leg, charge);
  if (refusal !== null) return refuse(sending, refusal, order, readAt);
  // The clock starts before the permit is asked for: a process that sleeps on its answer must notice it, too.
  const askedAt = Date.now();
  const permit = await beginSend(deps.db, sending.acting, input, input.sendNumber, charge.refunds.map((refund) => refund.providerRefundId));
  if (permit.kind === 'settled') return settledOutcome(await standingLeg(deps.db, sending.acting, input));
  if (permit.kind === 'fenced') return { kind: 'unknown' };
  if (isGivenUp() || Date.now() - askedAt > MAX_PAUSE_BEFORE_SEND_MS) return notSent(sending, null);
  return call(sending, { order, readAt, refunds: charge.refunds });
}

/** The order as it was right before the send. */
interface Sight {
  readonly order: ProviderOrder;
  readonly readAt: Date;
  readonly refunds: readonly ListedRefund[];
}

/** What the provider's own order already says against a leg that was never sent: then nothing needs to be sent (M2, R1). */
function refusalBySight(leg: LegRecord, charge: ProviderCharge): RefundRefusal | null {
  if (leg.status !== 'reserved') return null;
  if (!charge.paid || charge.disputedMinor > 0) return 'order_not_returnable';
  const refunded = sumMinor(charge.refunds.map((refund) => refund.amountMinor));
  return leg.amountMinor > charge.amountMinor - refunded ? 'amount_exceeds_remaining' : null;
}

/** Settles a refusal, and takes over the order that explains it, so that the next request is judged by it. */
async function refuse({ deps, input, acting, entry }: Sending, refusal: string, order: ProviderOrder, readAt: Date): Promise<SendOutcome> {
  try {
    const settled = await settleLeg(deps.db, acting, input, { kind: 'refused', refusal, sendNumber: input.sendNumber });
    await saveOrder(deps.db, input.merchantId, entry.adapter.name, order, readAt);
    return settledOutcome(settled);
  } catch (error) {
    // This send was given up while its answer was on the way: what became of the leg is for the look to say.
    if (error instanceof OutdatedRefusalError) return { kind: 'unknown' };
    throw error;
  }
}

async function call(sending: Sending, sight: Sight): Promise<SendOutcome> {
  const { deps, input, leg, entry, credential } = sending;
  try {
    const order = await entry.adapter.submitRefund({ credential }, {
      orderId: leg.orderId, chargeId: leg.chargeId, amountMinor: leg.amountMinor, currency: leg.currency, reason: leg.reason ?? undefined, reference: input.legId,
    });
    const result = await recognise(sending, order, sight.refunds.map((refund) => refund.providerRefundId));
    if (result !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, result));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'declined') return declined(sending, error, sight);
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
async function declined(sending: Sending, error: ProviderError, sight: Sight): Promise<SendOutcome> {
  const { deps, input, acting } = sending;
  if (mayHaveBeenExecuted(sending.leg)) {
    await markUnknown(deps.db, input, input.sendNumber);
    const late = await recogniseEarlierSend(sending, await readOrder(sending));
    if (late !== null) return settledOutcome(await settleLeg(deps.db, acting, input, late));
  }
  return refuse(sending, error.details.providerCode ?? 'refused_by_provider', sight.order, sight.readAt);
}

/** Looks for a leg whose outcome is unknown (S4). Only reads and settles, so it may be repeated at will. */
async function find(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<FindOutcome> {
  const sending = await prepare(deps, input);
  const fenced = await fenceSend(deps.db, input, input.sendNumber, quietTime(sending.entry));
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
  const mine = recogniseRefund(chargeOf(order, leg.chargeId).refunds, leg.amountMinor, before, others);
  return mine === null ? null : { kind: 'succeeded', providerRefundId: mine.providerRefundId, order, seenAt: new Date() };
}

function readOrder({ entry, credential, leg }: Sending): Promise<ProviderOrder> {
  return entry.adapter.getOrder({ credential }, leg.orderId);
}

/** A charge of an order. @throws ProviderError `unknown` when the order no longer shows the charge. */
function chargeOf(order: ProviderOrder, chargeId: string): ProviderCharge {
  const charge = order.charges.find((candidate) => candidate.chargeId === chargeId);
  if (charge === undefined) throw new ProviderError('unknown', 'the order does not show the charge');
  return charge;
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

