import { followProvider } from '../src/domain/payout-order.ts';
import type { PayoutOrderEvent, PayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { ProviderPayoutOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { MAX_PAUSE_BEFORE_SEND_MS, payoutProtocol, quietTime } from '../src/providers/registry.ts';
import type { ProviderRegistry } from '../src/providers/registry.ts';
import { openCase } from '../src/store/cases.ts';
import type { Database } from '../src/store/database.ts';
import { providerOf } from '../src/store/merchants.ts';
import { payoutIdOf } from '../src/store/payout-orders/payout-id.ts';
import { readPayoutOrder } from '../src/store/payout-orders/read.ts';
import type { PayoutOrderRecord } from '../src/store/payout-orders/read.ts';
import { registerPayoutOrder } from '../src/store/payout-orders/register.ts';
import { beginIssue, endIssue, fenceIssue, movePayoutOrder, recordIssueRefusal, recordPayoutAct } from '../src/store/payout-orders/settle.ts';
import type { Acting } from '../src/store/transitions.ts';
import type { NotFound, Unsettled, WorkflowRef } from './contracts.ts';
import { withExecution } from './execution.ts';
import { withFailures } from './failures.ts';
import { isGivenUp, withHeartbeat } from './heartbeat.ts';
import type { AskCause, PayoutActivities, PayoutOrderPlan, PayoutOrderRef, PayoutOrderRequest, PayoutOutcome, VoidInput } from './payout-contracts.ts';

/** What payout Activities need. */
export interface PayoutActivityDeps {
  readonly db: Database;
  readonly providers: ProviderRegistry;
}

/** A payout order that the provider has, and has left without a reference for so long, was not created properly (seed 000, P1). Milliseconds. */
const OPEN_FOR_GOOD_MS = 10 * 60_000;

/** Makes the Activities of payout orders. */
export function createPayoutActivities(deps: PayoutActivityDeps): PayoutActivities {
  return withFailures(withExecution<PayoutActivities>({
    registerPayoutOrder: (input) => register(deps, input),
    issueReference: (input) => withHeartbeat(() => issue(deps, input)),
    findReference: (input) => withHeartbeat(() => findReference(deps, input)),
    voidReference: (input) => withHeartbeat(() => voidReference(deps, input)),
    followPayoutOrder: (input) => withHeartbeat(() => follow(deps, input)),
    recordPayoutAct: ({ act, ...input }) => recordPayoutAct(deps.db, input, input, act),
    openCase: (input) => openCase(deps.db, input),
  }));
}

async function register(deps: PayoutActivityDeps, input: PayoutOrderRequest & WorkflowRef): Promise<PayoutOrderPlan> {
  const provider = await providerOf(deps.db, input.merchantId);
  const entry = deps.providers.entry(provider);
  const { fingerprint, lastSend, standing } = await registerPayoutOrder(deps.db, { workflowId: input.workflowId, runId: input.runId, actor: input.requestedBy }, {
    ...input, provider, payoutId: payoutIdOf(input.payoutOrderId), expiresAt: new Date(input.expiresAt),
  });
  return {
    provider, confirmationWindowMs: entry.confirmationWindowMs, protocol: payoutProtocol(entry), fingerprint, ...(lastSend === 0 ? {} : { lastSend }),
    ...(standing === null ? {} : { standing: { ...standing, withdrawalBegunAt: standing.withdrawalBegunAt?.toISOString() ?? null } }),
    ...(entry.pollMs === null ? {} : { pollMs: entry.pollMs }),
  };
}

/** A payout order with everything a call about it needs. */
interface Asking {
  readonly deps: PayoutActivityDeps;
  readonly key: PayoutOrderRef;
  readonly acting: Acting;
  readonly order: PayoutOrderRecord;
  readonly entry: ReturnType<ProviderRegistry['entry']>;
  readonly credential: string;
}

async function prepare(deps: PayoutActivityDeps, key: PayoutOrderRef, actor: string): Promise<Asking> {
  const order = await readPayoutOrder(deps.db, key.merchantId, key.payoutOrderId);
  if (order === null) throw new Error('a payout order that was registered is not on record');
  return { deps, key, acting: { ...key, actor }, order, entry: deps.providers.entry(order.provider), credential: deps.providers.credential(key.merchantId, order.provider) };
}

/**
 * Asks for the reference once; where an earlier send was given up, only after one more look, since it may have been executed after its look.
 * Dies before `beginIssue`: nothing was sent. Dies after: the look finds the reference by our id in the provider's metadata, or finds none and
 * it is asked for again. Dies after the move: the look finds it settled.
 */
async function issue(deps: PayoutActivityDeps, input: PayoutOrderRef & { readonly sendNumber: number }): Promise<PayoutOutcome | Unsettled> {
  const asking = await prepare(deps, input, 'reintegro');
  const { order, entry, credential } = asking;
  const late = order.fencedSend > 0 && order.status === 'open' ? await lateReference(asking) : null;
  if (late !== null) return late === 'silent' ? { kind: 'not_sent', retryAfterMs: null } : takeOver(asking, late, 'fact');
  const askedAt = Date.now();
  const permit = await beginIssue(deps.db, input, input.sendNumber);
  if (permit === 'settled') return standing(asking);
  if (permit === 'refused') return { kind: 'declined', status: 'open' };
  if (permit === 'fenced') return { kind: 'unknown' };
  if (isGivenUp() || Date.now() - askedAt > MAX_PAUSE_BEFORE_SEND_MS) return endedUnsettled(asking, input.sendNumber, { kind: 'not_sent', retryAfterMs: null });
  try {
    const issued = await entry.adapter.createPayoutOrder({ credential }, {
      reference: order.payoutOrderId, amountMinor: order.amountMinor, currency: order.currency, allowedPayoutMethods: order.allowedPayoutMethods,
      payoutMethodType: order.payoutMethodType, customerId: order.customerId, reason: order.reason, expiresAt: Math.floor(order.expiresAt.getTime() / 1000), metadata: order.metadata,
    });
    // `open` means that the provider is not done: what becomes of it is asked after the settle delay.
    return issued.status === 'open' ? await endedUnsettled(asking, input.sendNumber, { kind: 'unknown' }) : await takeOver(asking, issued, 'fact');
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'not_sent') return endedUnsettled(asking, input.sendNumber, { kind: 'not_sent', retryAfterMs: error.details.retryAfterMs ?? null });
    if (error.kind !== 'declined') return endedUnsettled(asking, input.sendNumber, { kind: 'unknown' });
    return refusedToIssue(asking, input.sendNumber, error.details.providerCode ?? 'refused_by_provider');
  }
}

/**
 * The provider refused this send for good. That is not believed before a look where an earlier send was given up: a reference that nobody
 * knows of could be collected (S4).
 */
async function refusedToIssue(asking: Asking, sendNumber: number, why: string): Promise<PayoutOutcome | Unsettled> {
  const { deps, key, order } = asking;
  if (order.fencedSend > 0) {
    // The call has ended: what follows only reads, and may take longer than a send.
    await endIssue(deps.db, key, sendNumber);
    const late = await lateReference(asking);
    if (late !== null) return late === 'silent' ? { kind: 'unknown' } : takeOver(asking, late, 'fact');
  }
  // Refused late, after this send was given up: that says nothing about the send under way.
  const isRefused = await recordIssueRefusal(deps.db, key, why, sendNumber);
  return isRefused ? { kind: 'declined', status: 'open' } : { kind: 'unknown' };
}

/** What an earlier send made after all; `null` when the provider surely has nothing of ours, `silent` when it does not say or is not done. */
async function lateReference({ entry, credential, order }: Asking): Promise<ProviderPayoutOrder | 'silent' | null> {
  try {
    const found = await entry.adapter.findPayoutOrder({ credential }, order.payoutOrderId, order.createdAt);
    return found?.status === 'open' ? 'silent' : found;
  } catch (error) {
    if (error instanceof ProviderError) return 'silent';
    throw error;
  }
}

/** The status as it is now: another send may have settled it since the order was read. */
async function standing({ deps, key, acting }: Asking): Promise<PayoutOutcome> {
  const status = await movePayoutOrder(deps.db, acting, key, () => []);
  return { kind: status === 'open' ? 'declined' : 'settled', status };
}

/** Writes down that the call has ended, so that the look need not wait for a worker that is still there. */
async function endedUnsettled(asking: Asking, sendNumber: number, answer: Unsettled): Promise<Unsettled> {
  await endIssue(asking.deps.db, asking.key, sendNumber);
  return answer;
}

async function findReference(deps: PayoutActivityDeps, input: PayoutOrderRef & { readonly sendNumber: number; readonly isLast?: boolean }): Promise<PayoutOutcome | NotFound> {
  const asking = await prepare(deps, input, 'reintegro');
  const fenced = await fenceIssue(deps.db, input, input.sendNumber, quietTime(asking.entry));
  if (fenced.kind === 'settled') return standing(asking);
  if (fenced.kind === 'never_sent' && input.isLast !== true) return { kind: 'never_sent' };
  if (fenced.kind === 'too_early') return lookEarly(asking, fenced.waitMs);
  const found = await asking.entry.adapter.findPayoutOrder({ credential: asking.credential }, asking.order.payoutOrderId, asking.order.createdAt);
  if (found === null && input.isLast !== true) return { kind: 'absent' };
  if (found !== null && found.status !== 'open') return takeOver(asking, found, 'fact');
  const openForMs = Date.now() - (fenced.sentAt ?? asking.order.createdAt).getTime();
  // A provider that has not issued it yet may still do so: a reference that nobody here knows of could be collected.
  if (found !== null && input.isLast !== true && openForMs < OPEN_FOR_GOOD_MS) return { kind: 'too_early', waitMs: Math.max(asking.entry.settleDelayMs, openForMs) };
  // The provider has none, or made it and never issued the reference (P1): it stays open for ever.
  const isRefused = await recordIssueRefusal(deps.db, input, found === null ? 'never_issued' : 'never_issued_by_provider');
  return isRefused ? { kind: 'declined', status: 'open' } : standing(asking);
}

/** Before the quiet time is over, absence proves nothing; a reference that is there, is there (P1). */
async function lookEarly(asking: Asking, waitMs: number): Promise<PayoutOutcome | NotFound> {
  const found = await lateReference(asking);
  return found === null || found === 'silent' ? { kind: 'too_early', waitMs } : takeOver(asking, found, 'fact');
}

/** Asks to void the reference once; only an answer that says so counts (P2). Voiding twice does no harm. */
async function voidReference(deps: PayoutActivityDeps, input: VoidInput): Promise<PayoutOutcome | Unsettled> {
  const asking = await prepare(deps, input, input.actor);
  const { status } = asking.order;
  // Expiry acts only from `pending` (P3), by our books as well.
  if (status !== 'pending' && (status !== 'pending_confirmation' || input.cause === 'expiry')) return { kind: 'settled', status };
  try {
    if (input.cause === 'expiry') {
      // A withdrawal that began in time keeps its window, also where a void would still stop it (P3).
      const seen = await asking.entry.adapter.getPayoutOrder({ credential: asking.credential }, providerId(asking.order));
      if (seen.status !== 'pending' && seen.status !== 'open') return await takeOver(asking, seen, input.cause);
      // Told and not shown yet: it is looked for before the reference is voided.
      if (input.isWithdrawalTold === true) return { kind: 'declined', status };
    }
    const answer = await asking.entry.adapter.cancelPayoutOrder({ credential: asking.credential }, providerId(asking.order));
    if (answer.status !== 'cancelled' && answer.status !== 'expired') return { kind: 'unknown' };
    return await takeOver(asking, answer, input.cause);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'not_sent') return { kind: 'not_sent', retryAfterMs: error.details.retryAfterMs ?? null };
    return error.kind === 'declined' ? { kind: 'declined', status: asking.order.status } : { kind: 'unknown' };
  }
}

async function follow(deps: PayoutActivityDeps, input: PayoutOrderRef & { readonly cause: AskCause; readonly actor: string }): Promise<PayoutOutcome> {
  const asking = await prepare(deps, input, input.actor);
  const seen = await asking.entry.adapter.getPayoutOrder({ credential: asking.credential }, providerId(asking.order));
  return takeOver(asking, seen, input.cause);
}

/** Follows what the provider shows, inside the record's lock; a contradiction changes nothing and is reported. */
async function takeOver(asking: Asking, seen: ProviderPayoutOrder, cause: AskCause): Promise<PayoutOutcome> {
  let contradiction = false;
  const status = await movePayoutOrder(asking.deps.db, asking.acting, asking.key, (order) => {
    // Two references for one payout order: one of them was issued later than its settle delay.
    const isAnother = order.providerPayoutOrderId !== null && order.providerPayoutOrderId !== seen.providerPayoutOrderId;
    const path = isAnother ? null : pathFor(order.status, seen.status, cause);
    contradiction = path === null;
    return path ?? [];
  }, { providerPayoutOrderId: seen.providerPayoutOrderId });
  return { kind: contradiction ? 'contradiction' : 'settled', status };
}

function pathFor(ours: PayoutOrderStatus, theirs: PayoutOrderStatus, cause: AskCause): readonly PayoutOrderEvent[] | null {
  // The window ended and the provider knows of no reversal: the seed calls that success.
  const concluded = cause === 'window_ended' && theirs === 'pending_confirmation' ? 'withdrawn' : theirs;
  // Voided because it ran out of time: that is an expiry, whatever the provider calls a voided reference.
  const named = cause === 'expiry' && concluded === 'cancelled' && ours === 'pending' ? 'expired' : concluded;
  const follow = followProvider(ours, named);
  return follow.kind === 'path' ? follow.events : null;
}

function providerId(order: PayoutOrderRecord): string {
  if (order.providerPayoutOrderId === null) throw new Error('a payout order without a reference cannot be asked about');
  return order.providerPayoutOrderId;
}
