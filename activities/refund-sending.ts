import { holdsAmount } from '../src/domain/leg.ts';
import { sumMinor } from '../src/domain/money.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import { countsAgainstCharge } from '../src/domain/send-protocol.ts';
import type { ListedRefund } from '../src/domain/send-protocol.ts';
import type { ProviderCharge, ProviderOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { MAX_PAUSE_BEFORE_SEND_MS, quietTime } from '../src/providers/registry.ts';
import { saveOrder } from '../src/store/orders.ts';
import { beginSend, fenceSend, markNotSent, markUnknown, readLeg } from '../src/store/refunds/send.ts';
import type { LegRecord } from '../src/store/refunds/send.ts';
import { OutdatedRefusalError, settleLeg, standingLeg } from '../src/store/refunds/settle.ts';
import type { LegResult, SettledLeg } from '../src/store/refunds/settle.ts';
import type { Acting } from '../src/store/transitions.ts';
import type { FindOutcome, LegRef, SendOutcome, Settled, SubmitRefundInput } from './contracts.ts';
import { isGivenUp } from './heartbeat.ts';
import { chargeOf, recognisedRefund, resultOf } from './refund-recognition.ts';
import type { Looking, RefundActivityDeps } from './refund-recognition.ts';

/** What one send, or one look, works with. */
interface Sending<Input extends LegRef = LegRef> extends Looking {
  readonly input: Input;
  readonly acting: Acting;
  readonly credential: string;
}

async function prepare<Input extends LegRef>(deps: RefundActivityDeps, input: Input): Promise<Sending<Input>> {
  const { workflowId, runId } = input;
  const leg = await readLeg(deps.db, input);
  return {
    deps, input, acting: { workflowId, runId, actor: 'reintegro' }, leg,
    entry: deps.providers.entry(leg.provider), credential: deps.providers.credential(input.merchantId, leg.provider),
  };
}

/**
 * One send (S4, S5). If the process dies:
 * - before `beginSend` commits: nothing was sent, the leg is still `reserved`, the look says `never_sent`;
 * - between that commit and the call: the leg is `sending`, the look finds nothing after the settle delay, it is sent again;
 * - between that commit and the booking of what an earlier send was seen to have done: the look finds it by its reference, and settles;
 * - during or after the call, before `settleLeg` commits: the look finds the refund by the list taken before, and settles;
 * - after `settleLeg`: the look finds the leg settled.
 */
export async function submitRefund(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<SendOutcome> {
  const sending = await prepare(deps, input);
  const readAt = new Date();
  let order: ProviderOrder;
  let charge: ProviderCharge;
  try {
    order = await readOrder(sending, input.sendNumber > 1 || mayHaveBeenExecuted(sending.leg));
    charge = chargeOf(order, sending.leg.chargeId);
    if (charge.currency !== sending.leg.currency) throw new ProviderError('unknown', 'the charge has another currency than was reserved');
  } catch (error) {
    if (error instanceof ProviderError) return { kind: 'not_sent', retryAfterMs: error.details.retryAfterMs ?? null };
    throw error;
  }
  const earlier = await recogniseEarlierSend(sending, order);
  if (earlier !== null && mayHaveBeenExecuted(sending.leg)) return settledOutcome(await settleLeg(deps.db, sending.acting, input, earlier));
  const refusal = earlier === null ? refusalBySight(sending.leg, charge) : null;
  if (refusal !== null) return refuse(sending, { refusal, bySight: true }, order, readAt);
  // The clock starts before the permit is asked for: a process that sleeps on its answer must notice it, too.
  const askedAt = Date.now();
  const permit = await beginSend(deps.db, sending.acting, input, {
    sendNumber: input.sendNumber, refundsBefore: idsOf(charge.refunds), lastSend: sending.leg.sendNumber, gated: sending.entry.adapter.idempotency === 'balance',
  });
  if (permit.kind === 'settled') return settledOutcome(await standingLeg(deps.db, sending.acting, input));
  if (permit.kind === 'fenced') return { kind: 'unknown' };
  // The provider shows it although it said that it had not taken it: what the leg becomes is booked behind the permit like an answer.
  if (earlier !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, earlier));
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
  return leg.amountMinor > roomOf(charge) ? 'amount_exceeds_remaining' : null;
}

/** What the provider's own list leaves of a charge, minor units. */
function roomOf(charge: ProviderCharge): number {
  return charge.amountMinor - sumMinor(charge.refunds.filter(countsAgainstCharge).map((refund) => refund.amountMinor));
}

function idsOf(refunds: readonly ListedRefund[]): readonly string[] {
  return refunds.map((refund) => refund.providerRefundId);
}

/** Settles a refusal, and takes over the order that explains it, so that the next request is judged by it. */
async function refuse({ deps, input, acting, entry }: Sending<SubmitRefundInput>, told: { readonly refusal: string; readonly bySight: boolean }, order: ProviderOrder, readAt: Date): Promise<SendOutcome> {
  try {
    const settled = await settleLeg(deps.db, acting, input, { kind: 'refused', ...told, sendNumber: input.sendNumber });
    await saveOrder(deps.db, input.merchantId, entry.adapter.name, order, readAt);
    return settledOutcome(settled);
  } catch (error) {
    // This send was given up while its answer was on the way: what became of the leg is for the look to say.
    if (error instanceof OutdatedRefusalError) return { kind: 'unknown' };
    throw error;
  }
}

async function call(sending: Sending<SubmitRefundInput>, sight: Sight): Promise<SendOutcome> {
  const { deps, input, leg, entry, credential } = sending;
  try {
    const submitted = await entry.adapter.submitRefund({ credential }, {
      orderId: leg.orderId, chargeId: leg.chargeId, amountMinor: leg.amountMinor, currency: leg.currency, reason: leg.reason ?? undefined, refundType: leg.details.refundType, reference: input.legId,
    });
    const result = submitted.kind === 'order' ? await recognise(sending, submitted.order, idsOf(sight.refunds)) : answered(sending, submitted.refund);
    if (result !== null) return settledOutcome(await settleLeg(deps.db, sending.acting, input, result.kind === 'refused' ? { ...result, sendNumber: input.sendNumber } : result));
  } catch (error) {
    if (error instanceof OutdatedRefusalError) return { kind: 'unknown' };
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'declined') return declined(sending, error, sight);
    if (error.kind === 'not_sent') return notSent(sending, error.details.retryAfterMs ?? null);
  }
  // Timeout, reset, 5xx, unreadable, or a success that shows no new refund (S7): to be verified.
  await markUnknown(deps.db, input, input.sendNumber);
  return { kind: 'unknown' };
}

/**
 * A refund that is the whole answer to its send: ours if it carries our reference (S1). That it failed is no verdict while an earlier send
 * may have been executed.
 */
function answered({ input, leg }: Sending<SubmitRefundInput>, refund: ListedRefund): LegResult | null {
  if (refund.reference !== input.legId) return null;
  const result = resultOf(refund, leg.amountMinor, null);
  return result.kind === 'refused' && mayHaveBeenExecuted(leg) ? null : result;
}

async function notSent({ deps, input, leg }: Sending<SubmitRefundInput>, retryAfterMs: number | null): Promise<SendOutcome> {
  await markNotSent(deps.db, input, input.sendNumber, mayHaveBeenExecuted(leg) ? 'unknown' : 'reserved');
  return { kind: 'not_sent', retryAfterMs };
}

/**
 * A refusal is no verdict yet when an earlier send may have been executed, or when the provider says that nothing is left although its
 * list had room: both may only say that the money has moved. The order is read again; what it shows as ours is ours. If an earlier send
 * may have done what the list does not show yet, that is looked into after the settle delay; a first send that was refused did nothing.
 */
async function declined(sending: Sending<SubmitRefundInput>, error: ProviderError, sight: Sight): Promise<SendOutcome> {
  const { deps, input, acting, leg } = sending;
  const { saysNothingLeft = false, providerCode = 'refused_by_provider' } = error.details;
  const isRepeated = mayHaveBeenExecuted(leg);
  const told = { refusal: providerCode, bySight: false };
  if (!isRepeated && !saysNothingLeft) return refuse(sending, told, sight.order, sight.readAt);
  await markUnknown(deps.db, input, input.sendNumber);
  const readAt = new Date();
  const order = await readOrder(sending, true);
  const late = await recognise(sending, order, isRepeated ? leg.refundsBefore : idsOf(sight.refunds));
  if (late !== null) return settledOutcome(await settleLeg(deps.db, acting, input, late));
  // Where nothing can be recognised, what took the rest may be ours (S6).
  if (saysNothingLeft && sending.entry.adapter.idempotency === 'none') return { kind: 'unknown' };
  if (isRepeated && saysNothingLeft && leg.amountMinor <= roomOf(chargeOf(order, leg.chargeId))) return { kind: 'unknown' };
  return refuse(sending, told, order, readAt);
}

/** Looks for a leg whose outcome is unknown (S4). Only reads and settles, so it may be repeated at will. */
export async function findRefund(deps: RefundActivityDeps, input: SubmitRefundInput): Promise<FindOutcome> {
  const sending = await prepare(deps, input);
  const fenced = await fenceSend(deps.db, input, input.sendNumber, quietTime(sending.entry));
  if (fenced.kind === 'never_sent' || fenced.kind === 'too_early') return fenced;
  if (fenced.kind === 'settled') return foundOutcome(await standingLeg(deps.db, sending.acting, input));
  // Read again behind the fence: the send may have begun, and written its list down, since the first reading.
  const leg = await readLeg(deps.db, input);
  const result = await recognise(sending, await readOrder(sending, true), leg.refundsBefore);
  return result === null ? { kind: 'absent' } : foundOutcome(await settleLeg(deps.db, sending.acting, input, result));
}

/** Whether an earlier send of the leg may have been executed after all. Only then may a new refund of the charge be its own. */
function mayHaveBeenExecuted(leg: LegRecord): boolean {
  return leg.status === 'unknown' || leg.status === 'sending';
}

/**
 * Recognises what an earlier send did later than its settle delay, by the list from before that send. Where ours carries our reference
 * and a repeated send would pay again, it is looked for before every send: a provider may have executed what it said it had not taken.
 */
async function recogniseEarlierSend(sending: Sending, order: ProviderOrder): Promise<LegResult | null> {
  return sending.entry.adapter.idempotency === 'reference' || mayHaveBeenExecuted(sending.leg) ? recognise(sending, order, sending.leg.refundsBefore) : null;
}

async function recognise(sending: Sending, order: ProviderOrder, before: readonly string[]): Promise<LegResult | null> {
  const mine = await recognisedRefund(sending, order, before);
  if (mine === null) return null;
  return resultOf(mine, sending.leg.amountMinor, order);
}

/** Reads the order; `isSought`: the leg may have been executed, so the provider is asked for its reference, too, where it keeps one. */
function readOrder({ entry, credential, leg, input }: Sending, isSought: boolean): Promise<ProviderOrder> {
  return entry.adapter.getOrder({ credential }, leg.orderId, isSought ? input.legId : undefined);
}

function settledOutcome(leg: SettledLeg): SendOutcome {
  return { kind: holdsAmount(leg.legStatus) ? 'accepted' : 'declined', ...settledFacts(leg) };
}

function foundOutcome(leg: SettledLeg): FindOutcome {
  return { kind: holdsAmount(leg.legStatus) ? 'found' : 'declined', ...settledFacts(leg) };
}

/** What a Workflow learns of a settled leg. */
export function settledFacts({ refundStatus, statusDetail, nextTurn, legStatus }: SettledLeg): Settled {
  return { refundStatus, statusDetail, nextTurn, legStatus };
}
