import { expect, onTestFinished, vi } from 'vitest';
import { recogniseRefund } from '../../src/domain/send-protocol.ts';
import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { ProviderAdapter, ProviderCall, ProviderCharge, ProviderRefundRequest } from '../../src/providers/provider.ts';
import { respondText, startScriptedServer } from '../unit/conekta/scripted-server.ts';
import type { Imitation, Paid, ProviderUnderTest } from './provider-under-test.ts';

/** Long enough that nothing but the test's own clock lets it pass. */
const DEADLINE_MS = 30_000;

/** One test's imitation, an adapter that speaks to it, and what the cases do with both. */
export interface Bench {
  readonly imitation: Imitation;
  readonly adapter: ProviderAdapter;
  readonly call: ProviderCall;
  pay(amountMinor: number): Promise<Paid>;
  /** The one charge of what was paid, as the adapter reads it. */
  charge(paid: Paid, sought?: string): Promise<ProviderCharge>;
  /** What `recogniseRefund` makes of a charge by the declared capability. */
  recognise(charge: ProviderCharge, sought: { readonly reference: string; readonly amountMinor: number; readonly before?: readonly string[] }): ListedRefund | null;
  /** The `ProviderError` a call rejects with, checked for secrets; anything else, and success too, fails the test. */
  failureOf(call: Promise<unknown>): Promise<ProviderError>;
  /** The failure of a call that the imitation takes and leaves without an answer: the deadline passes once it has. */
  failureInSilence(call: () => Promise<unknown>): Promise<ProviderError>;
}

/** A request to give back so much of what was paid. */
export function refundOf({ orderId, chargeId, currency }: Paid, amountMinor: number, reference = 'ref_pack:leg_1'): ProviderRefundRequest {
  return { orderId, chargeId, amountMinor, currency, reason: 'requested_by_client', reference };
}

function shownOf(failure: ProviderError): string {
  return [failure.message, failure.stack?.split('\n    at ')[0], JSON.stringify(failure), JSON.stringify(failure.details), String(failure.cause)].join('\n');
}

async function failureWithout(secrets: readonly string[], call: Promise<unknown>): Promise<ProviderError> {
  const outcome = await call.then(
    () => 'success',
    (error: unknown) => error,
  );
  if (!(outcome instanceof ProviderError)) throw new Error('expected a ProviderError', { cause: outcome });
  // I7: nothing of a key, an address or an id in what is stored and shown.
  for (const secret of secrets) expect(shownOf(outcome)).not.toContain(secret);
  return outcome;
}

/** A server before the imitation that passes everything on, and changes what comes back. Returns its address. */
export async function startFront(imitation: Imitation, rewrite: (body: string) => string): Promise<string> {
  const front = await startScriptedServer();
  onTestFinished(() => front.close());
  front.script((response, request) => {
    const headers = { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' };
    void fetch(imitation.url + request.url, { method: request.method, headers, ...(request.body === '' ? {} : { body: request.body }) })
      .then(async (answer) => respondText(answer.status, rewrite(await answer.text()), { 'content-type': 'application/json' })(response, request));
  });
  return front.baseUrl;
}

/** Connects an adapter until the test ends. */
export function connect(provider: ProviderUnderTest, url: string): ProviderAdapter {
  const adapter = provider.connect(url, DEADLINE_MS);
  onTestFinished(() => adapter.close());
  return adapter;
}

/** Starts the imitation of a provider and connects the adapter to it, until the test ends. */
export async function openBench(provider: ProviderUnderTest): Promise<Bench> {
  const imitation = await provider.start();
  const adapter = connect(provider, imitation.url);
  const { merchant, wrong } = provider.credentials;
  const call: ProviderCall = { credential: merchant };
  const secrets = [merchant, wrong, new URL(imitation.url).host];
  const failureOf = (promise: Promise<unknown>): Promise<ProviderError> => failureWithout(secrets, promise);
  return {
    imitation, adapter, call, failureOf,
    pay: (amountMinor) => imitation.pay(amountMinor, merchant),
    async charge({ orderId, chargeId }, sought) {
      const order = await adapter.getOrder(call, orderId, sought);
      const found = order.charges.filter((charge) => charge.chargeId === chargeId);
      expect([order.orderId, found.length]).toEqual([orderId, 1]);
      return found[0]!;
    },
    recognise: (charge, { before = [], ...sought }) => recogniseRefund(provider.idempotency, charge.refunds, { ...sought, before, others: [] }),
    async failureInSilence(start) {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const failing = failureOf(start());
        while ((await imitation.armedFaults()) > 0) await new Promise((resolve) => setImmediate(resolve));
        vi.advanceTimersByTime(DEADLINE_MS);
        return await failing;
      } finally {
        vi.useRealTimers();
      }
    },
  };
}
