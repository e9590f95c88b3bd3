import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import type { PayoutOrderView } from '../../src/client/reintegro-client.ts';
import { LATE_CLOCK } from './payout-race-stage.ts';
import type { RaceStage } from './payout-race-stage.ts';

const MERCHANT = 'merchant_demo';

/** How much longer a provider whose clock is late keeps a reference open, seconds: longer than any race lasts. */
const LATE_SECONDS = 60;

/** What a till may do, and a rail may report. */
export type RailAct = 'withdrawal' | 'confirmation' | 'reversal';

/** How a cancellation is asked for. */
export type CancelWay = 'http' | 'client' | 'signal';

/** What one caller was told. `status` is the state that the answer named, `null` where it named none. */
export type Told =
  | { readonly who: 'cancel'; readonly way: CancelWay; readonly says: 'cancelled' | 'refused' | 'undecided' | 'nothing'; readonly status: string | null }
  | { readonly who: 'till'; readonly act: RailAct; readonly says: 'done' | 'refused'; readonly status: string | null }
  | { readonly who: 'rail'; readonly act: RailAct; readonly says: 'on record' | 'excluded' | 'undecided'; readonly status: string | null };

/** A payout order to race about. Minor units. */
export interface RacedOrder {
  readonly amountMinor: number;
  readonly expiresAt: Date;
  /** Whether the provider keeps the reference open after our own clock says that it ran out. */
  readonly isProviderLate: boolean;
}

/** A payout order that was created, and how it stands. */
interface CreatedOrder {
  readonly id: string;
  readonly status: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Whoever has to do with a payout order. */
export type RaceCallers = ReturnType<typeof raceCallers>;

const statusSchema = z.object({ status: z.string() });
const nativeSchema = z.object({ status: z.string(), amount: z.int(), currency: z.string(), provider_payout_order_id: z.string() });
const providerSchema = z.object({ status: z.string(), amount: z.int(), currency: z.string() });
const journalSchema = z.object({ data: z.array(z.object({ kind: z.string(), amount: z.int(), currency: z.string() })) });
const problemSchema = z.object({ payout_order: statusSchema });
const refusalSchema = z.object({ details: z.array(z.object({ code: z.string() })).min(1) });

/** One JSON call over a connection that is kept. */
async function call(method: 'GET' | 'POST' | 'PUT', url: string, key: string | null, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await request(url, {
    method, body: body === undefined ? null : JSON.stringify(body),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
  });
  return { status: response.statusCode, body: await response.body.json() };
}

/** Repeats a call as callers are told to: while the answer is 503. */
async function untilServed(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    await delay(100);
  }
}

function unexpected(what: string, answer: Answer): Error {
  return new Error(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

async function readAs<T>(schema: z.ZodType<T>, asking: Promise<Answer>): Promise<T> {
  const answer = await asking;
  if (answer.status !== 200) throw unexpected('a read', answer);
  return schema.parse(answer.body);
}

/** Makes the callers of payout orders on a stage, and those who look at them afterwards. */
export function raceCallers({ apiUrl, sandboxUrl, client }: RaceStage) {
  const ours = (id: string): string => `${apiUrl}/payout_orders/${id}`;
  return {
    create: (order: RacedOrder): Promise<CreatedOrder> => (order.isProviderLate ? createByClient(client, order) : createByHttp(apiUrl, order)),
    cancel: (id: string, way: CancelWay): Promise<Told> => (way === 'http' ? cancelByHttp(ours(id)) : cancelByClient(client, id, way)),
    till: (id: string, act: RailAct, isVoidable = false): Promise<Told> => actAtTill(`${sandboxUrl}/sandbox/payout_orders/${id}/${act}`, act, isVoidable),
    report: (id: string, act: RailAct): Promise<Told> => report(`${apiUrl}/v1/payout_orders/${id}/${act}`, act),
    /** Waits until the Workflow has ended, and tells what it ended with. */
    end: (id: string): Promise<PayoutOrderView> => client.waitForPayoutOrder(MERCHANT, id),
    record: (id: string) => readAs(nativeSchema, call('GET', `${apiUrl}/v1/payout_orders/${id}`, 'key_demo')),
    read: (id: string) => readAs(statusSchema, call('GET', ours(id), 'key_demo')),
    provider: (providerId: string) => readAs(providerSchema, call('GET', `${sandboxUrl}/payout_orders/${providerId}`, 'key_sandbox_demo')),
    journal: async (providerId: string) => (await readAs(journalSchema, call('GET', `${sandboxUrl}/sandbox/journal?payout_id=${providerId}`, null))).data,
  };
}

async function createByHttp(apiUrl: string, { amountMinor, expiresAt }: RacedOrder): Promise<CreatedOrder> {
  const headers = { 'idempotency-key': randomUUID() };
  const body = {
    allowed_payout_methods: ['cash'], amount: amountMinor, currency: 'MXN', customer_info: { customer_id: 'cus_1' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Race', expires_at: expiresAt.getTime() / 1000,
  };
  for (;;) {
    const answer = await untilServed(() => call('POST', `${apiUrl}/payout_orders`, 'key_demo', body, headers));
    if (answer.status === 200) return z.object({ id: z.string(), status: z.string() }).parse(answer.body);
    // It took so long that the reference would have run out before it was issued.
    if (answer.status === 422) return { id: '', status: 'too late' };
    if (answer.status !== 202) throw unexpected('a payout order', answer);
    await delay(100);
  }
}

async function createByClient(client: RaceStage['client'], { amountMinor, expiresAt }: RacedOrder): Promise<CreatedOrder> {
  const answer = await client.createPayoutOrder({
    merchantId: MERCHANT, amountMinor, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Race', expiresAt,
    metadata: { [LATE_CLOCK]: LATE_SECONDS }, idempotencyKey: randomUUID(), requestedBy: 'backend',
  });
  return { id: answer.payoutOrderId, status: answer.kind === 'answered' ? answer.view.status : answer.kind };
}

async function cancelByHttp(url: string): Promise<Told> {
  const answer = await untilServed(() => call('PUT', `${url}/cancel`, 'key_demo'));
  const told = (says: 'cancelled' | 'refused' | 'undecided', status: string): Told => ({ who: 'cancel', way: 'http', says, status });
  if (answer.status === 200) return told('cancelled', statusSchema.parse(answer.body).status);
  if (answer.status === 202) return told('undecided', statusSchema.parse(answer.body).status);
  if (answer.status !== 428) throw unexpected('a cancel', answer);
  // The code ends in the status that stands in the way.
  return told('refused', /\.payout_order\.is_(\w+)$/.exec(refusalSchema.parse(answer.body).details[0]?.code ?? '')?.[1] ?? 'nothing');
}

async function cancelByClient(client: RaceStage['client'], id: string, way: 'client' | 'signal'): Promise<Told> {
  const told = (says: 'cancelled' | 'refused' | 'undecided' | 'nothing', status: string | null): Told => ({ who: 'cancel', way, says, status });
  try {
    if (way === 'signal') {
      await client.signalCancelPayoutOrder(MERCHANT, id, 'backend');
      return told('nothing', null);
    }
    const view = await client.cancelPayoutOrder(MERCHANT, id, 'backend');
    return told(view?.status === 'cancelled' ? 'cancelled' : 'undecided', view?.status ?? null);
  } catch (error) {
    if (error instanceof NotCancellableError) return told('refused', error.view?.status ?? null);
    // It is over: who wants to know how reads the records.
    if (error instanceof NotRunningError || error instanceof TemporalUnavailableError) return told('nothing', null);
    throw error;
  }
}

async function actAtTill(url: string, act: RailAct, isVoidable: boolean): Promise<Told> {
  const answer = await call('POST', url, null, act === 'withdrawal' ? { voidable: isVoidable } : {});
  if (answer.status === 200) return { who: 'till', act, says: 'done', status: statusSchema.parse(answer.body).status };
  if (answer.status !== 409) throw unexpected(`a ${act} at the till`, answer);
  return { who: 'till', act, says: 'refused', status: null };
}

async function report(url: string, act: RailAct): Promise<Told> {
  const answer = await untilServed(() => call('POST', url, 'key_demo_rail'));
  if (answer.status === 409) return { who: 'rail', act, says: 'excluded', status: problemSchema.parse(answer.body).payout_order.status };
  if (answer.status !== 200 && answer.status !== 202) throw unexpected(`the report of a ${act}`, answer);
  return { who: 'rail', act, says: answer.status === 200 ? 'on record' : 'undecided', status: statusSchema.parse(answer.body).status };
}
