import { Configuration, PayoutOrdersApi } from 'conekta';
import type { PayoutOrderRequest } from 'conekta';
import { expect } from 'vitest';
import { inSeconds, payoutOrderRequest } from '../contract-scene.ts';
import type { Body, ContractScene } from '../contract-scene.ts';

/** A language of the dialect, as the SDK types them. */
export type Language = 'es' | 'en';

/** What the SDK got: the status and the parsed body, also of a refusal. */
export interface Reply {
  readonly status: number;
  readonly body: Body;
  /** Whether the key of a creation stood for this payout order before (R8). */
  readonly isReplay: boolean;
}

/** A status of seed 000, and how a payout order comes to it: by calls of the merchant and by what happens at the till, told by signed webhook. */
export interface PayoutOrderWay {
  readonly name: string;
  readonly status: string;
  readonly method: 'cash' | 'cashout';
  /** Whether the provider makes the reference unusable when it is asked to (P4). */
  readonly isVoidable: boolean;
  /** Minor units; 3000 when omitted. */
  readonly amount?: number;
  /** In how many seconds it expires; a month when omitted. */
  readonly expiresInSeconds?: number;
  /** Leads it there from its creation. */
  readonly lead: (scene: ContractScene, id: string) => Promise<unknown>;
}

/** A payout order that was led to its status. */
export interface LedPayoutOrder {
  readonly request: Record<string, unknown>;
  readonly key: string;
  /** As its creation was answered. */
  readonly created: Body;
}

const nothing = async (): Promise<void> => undefined;
const withdraw = async (scene: ContractScene, id: string): Promise<void> => {
  await scene.atTill(id, 'withdrawal');
  await scene.payoutOrderIn(id, 'pending_confirmation');
};

/** Every status of seed 000, `pending_confirmation` with the cash out and not yet out. An amount ending in 901 is refused by the sandbox (X6). */
export const PAYOUT_ORDER_WAYS: readonly PayoutOrderWay[] = [
  { name: 'open (never issued)', status: 'open', method: 'cash', isVoidable: false, amount: 3901, lead: nothing },
  { name: 'pending', status: 'pending', method: 'cashout', isVoidable: true, lead: nothing },
  { name: 'pending_confirmation (cash out)', status: 'pending_confirmation', method: 'cash', isVoidable: false, lead: withdraw },
  { name: 'pending_confirmation (cash not out)', status: 'pending_confirmation', method: 'cashout', isVoidable: true, lead: withdrawVoidably },
  {
    name: 'withdrawn', status: 'withdrawn', method: 'cash', isVoidable: false,
    lead: async (scene, id) => withdraw(scene, id).then(() => scene.atTill(id, 'confirmation')),
  },
  {
    name: 'reversed', status: 'reversed', method: 'cashout', isVoidable: false,
    lead: async (scene, id) => withdraw(scene, id).then(() => scene.atTill(id, 'reversal')),
  },
  { name: 'cancelled', status: 'cancelled', method: 'cash', isVoidable: true, lead: (scene, id) => sdk(scene).cancel(id) },
  { name: 'expired', status: 'expired', method: 'cashout', isVoidable: false, expiresInSeconds: 3, lead: nothing },
];

/** The payout orders of the official SDK, with refusals as answers. */
export function sdk({ product }: ContractScene) {
  const configuration = new Configuration({ accessToken: 'key_demo', basePath: product.apiUrl, baseOptions: { validateStatus: () => true } });
  const api = new PayoutOrdersApi(configuration);
  const reply = async (asking: Promise<{ readonly status: number; readonly data: unknown; readonly headers: object }>): Promise<Reply> => {
    const { status, data, headers } = await asking;
    return { status, body: data, isReplay: new Map(Object.entries(headers)).get('idempotent-replayed') === 'true' };
  };
  return {
    // The SDK's type knows no `cash`; it sends what it gets.
    create: (request: object, key: string): Promise<Reply> => reply(api.createPayoutOrder(request as PayoutOrderRequest, 'es', { headers: { 'Idempotency-Key': key } })),
    read: (id: string): Promise<Reply> => reply(api.getPayoutOrderById(id, 'es')),
    cancel: (id: string, language: Language = 'es'): Promise<Reply> => reply(api.cancelPayoutOrderById(id, language)),
    list: (search: string, limit: number, cursor: { readonly next?: string; readonly previous?: string } = {}): Promise<Reply> =>
      reply(api.getPayoutOrders('es', limit, search, cursor.next, cursor.previous)),
  };
}

/** Creates a payout order of each way, in their order, and leads all of them to their statuses at the same time. `tag` is what a search finds them by. */
export async function leadAll(scene: ContractScene, tag: string): Promise<ReadonlyMap<PayoutOrderWay, LedPayoutOrder>> {
  const led = new Map<PayoutOrderWay, LedPayoutOrder>();
  for (const way of PAYOUT_ORDER_WAYS) {
    const { method, amount = 3000, expiresInSeconds = 30 * 24 * 3600 } = way;
    const key = `${tag}-${led.size}`;
    const metadata = { tag, position: led.size, nested: { list: [1, 'dos', null, true], ratio: 0.5 }, 'ñ': '✓' };
    const request = payoutOrderRequest({ amount, allowed_payout_methods: [method], payout: { payout_method: { type: method } }, expires_at: inSeconds(expiresInSeconds), metadata });
    const { status, body } = await sdk(scene).create(request, key);
    expect(status, JSON.stringify(body)).toBe(200);
    led.set(way, { request, key, created: body });
  }
  await Promise.all([...led].map(async ([way, { created }]) => {
    await way.lead(scene, created.id);
    await scene.payoutOrderIn(created.id, way.status);
  }));
  return led;
}

/** The payout order as the provider has it: a page with one, or with none when it never issued a reference. */
export async function atProvider({ product }: ContractScene, id: string): Promise<readonly Body[]> {
  const response = await fetch(`${product.sandboxUrl}/payout_orders?search=${id}`, { headers: { authorization: 'Bearer key_sandbox_demo' } });
  expect(response.status).toBe(200);
  return ((await response.json()) as { data: readonly Body[] }).data;
}

/** Begins a withdrawal whose cash is not out yet: until its end a cancel still voids it (P4). */
async function withdrawVoidably(scene: ContractScene, id: string): Promise<void> {
  const response = await fetch(`${scene.product.sandboxUrl}/sandbox/payout_orders/${id}/withdrawal`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ voidable: true }),
  });
  expect(response.status, await response.text()).toBe(200);
  await scene.payoutOrderIn(id, 'pending_confirmation');
}
