import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFinalPayoutOrderStatus, PAYOUT_ORDER_STATUSES } from '../../src/domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { sampleSize } from '../support/sample-size.ts';
import { contradictionOf, followed, lateCase } from '../activities/payout-facts-model.ts';
import { deliverTo } from './signed-webhook.ts';
import { startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';
import { followedPayoutOrder } from './webhook-orders-scene.ts';
import type { FollowedPayoutOrder } from './webhook-orders-scene.ts';

const ALL_ORDERS = 5040;
/** How many of the 7! orders are taken, from all of them. */
const ORDERS = sampleSize({ quick: 72, full: 240 });
/** Prime to 7!: multiples of it meet every order once. */
const STRIDE = 1237;
const TIMEOUT_MS = ORDERS * 1000;
const AMOUNT_MINOR = 3000;
const WEEK_SECONDS = 7 * 86_400;

const [retiring, current, stranger] = [rsa(), rsa(), rsa()];
const SAMPLE = Array.from({ length: ORDERS }, (_, index) => index);
let api: TestApi;

beforeAll(async () => {
  // In the middle of a rotation: the provider signs with either key.
  api = await startApi({ webhookPublicKeyPem: `${retiring.pem}\n${current.pem}` });
});
afterAll(() => api.close());

function rsa() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** The order with this number of all orders of seven things, by the factorial number system. */
function ordered<T>(seven: readonly T[], sample: number): readonly T[] {
  let rest = (sample * STRIDE) % ALL_ORDERS;
  const left = [...seven];
  return seven.map((_, index) => {
    const width = seven.length - index;
    const [next] = left.splice(rest % width, 1);
    rest = Math.floor(rest / width);
    return next as T;
  });
}

/** One message of the provider. */
interface Message {
  readonly eventId: string;
  readonly status: PayoutOrderStatus;
  readonly signer: ReturnType<typeof rsa>;
  /** Seconds between what it tells and the reference's issue. */
  readonly age: number;
}

async function deliver({ id, providerId, issuedAt }: FollowedPayoutOrder, { eventId, status, signer, age }: Message): Promise<number> {
  const object = { id: providerId, object: 'payout_order', status, metadata: { reintegro_id: id } };
  const body = { id: `${eventId}_${id}`, object: 'event', type: `payout_order.${status}`, created_at: issuedAt - age, data: { object, previous_attributes: {} } };
  return (await deliverTo(api, body, { key: signer.privateKey })).status;
}

/** What the provider goes through, with the messages it owes: each life ends in another status. */
const LIVES: readonly (readonly PayoutOrderStatus[])[] = [
  ['pending', 'pending_confirmation', 'withdrawn'], ['pending', 'pending_confirmation', 'reversed'], ['pending', 'pending_confirmation', 'cancelled'], ['pending', 'cancelled'], ['pending', 'expired'],
];

/** Seven deliveries of one life: a first message a week late, all doubled, one retold under another id, by both keys, and a forged one that says the contrary. */
function deliveriesOf(life: readonly PayoutOrderStatus[]): readonly Message[] {
  const end = life.at(-1) ?? 'pending';
  const middle = life.at(-2) ?? 'pending';
  const forged = end === 'withdrawn' ? 'reversed' : 'withdrawn';
  return [
    { eventId: 'first', status: 'pending', signer: retiring, age: WEEK_SECONDS }, { eventId: 'middle', status: middle, signer: current, age: 0 }, { eventId: 'middle', status: middle, signer: current, age: 0 },
    { eventId: 'end', status: end, signer: current, age: 0 }, { eventId: 'end', status: end, signer: retiring, age: 1 }, { eventId: 'end_retold', status: end, signer: retiring, age: 0 },
    { eventId: 'forged', status: forged, signer: stranger, age: 0 },
  ];
}

describe(`webhooks of a payout order in ${ORDERS} of their 7! orders (P6)`, () => {
  it('should lead to what happened, once, whatever order its doubled, late, retold and forged messages come in (P2, P6, I1, I4)', async () => {
    for (const sample of SAMPLE) {
      const life = LIVES[sample % LIVES.length] ?? [];
      const order = await followedPayoutOrder(api);
      let happened = 0;
      for (const message of ordered(deliveriesOf(life), sample)) {
        const isForged = message.signer === stranger;
        // What is told has happened; sometimes more has by then.
        if (!isForged) happened = Math.max(happened, life.indexOf(message.status), sample % 3 === 0 ? life.length - 1 : 0);
        order.truth = life[happened] ?? 'pending';
        expect(await deliver(order, message)).toBe(isForged ? 401 : 200);
      }
      const { path, ...rest } = await order.books();
      // A withdrawal that was voided before anybody asked is not in the books: the cash was never out.
      const isVoidedUnseen = life.includes('pending_confirmation') && life.at(-1) === 'cancelled' && !path.includes('pending_confirmation');
      expect(path, `order ${sample}`).toEqual(['open', ...life.filter((status) => !isVoidedUnseen || status !== 'pending_confirmation')]);
      expect(rest, `order ${sample} of ${life.join(', ')}`).toEqual({ movedMinor: life.at(-1) === 'withdrawn' ? AMOUNT_MINOR : 0, cases: [] });
      expect(order.asked()).toBeLessThanOrEqual(4);
    }
  }, TIMEOUT_MS);

  it('should follow the provider and no message, whatever order messages of all seven statuses come in, and put what it cannot ask about before a person (P2, P6, O1)', async () => {
    const reached = new Set<string>();
    for (const sample of SAMPLE) {
      const life = LIVES[sample % LIVES.length] ?? [];
      const order = await followedPayoutOrder(api);
      let ours: PayoutOrderStatus = 'pending';
      let asked = 0;
      const cases = new Set<string>();
      for (const [index, status] of ordered(PAYOUT_ORDER_STATUSES, sample).entries()) {
        order.truth = life[Math.min(life.length - 1, Math.floor(index * (sample % 4) / 3))] ?? 'pending';
        // It says that it came about just now: after the end, no late message of what was before.
        expect(await deliver(order, { eventId: status, status, signer: current, age: -60 })).toBe(200);
        if (isFinalPayoutOrderStatus(ours)) {
          // What is told of a void reference after its end is news, wherever our books have been before.
          const kind = lateCase(ours, status, ours === 'cancelled' || ours === 'expired' ? ['open'] : ['open', ...life]);
          if (kind !== null) reached.add(`${kind}: ${contradictionOf(ours, status)}`);
          if (kind !== null) cases.add(kind);
        } else {
          asked += 1;
          ours = followed(ours, order.truth, 'fact') as PayoutOrderStatus;
        }
      }
      const path = ['open', ...life.slice(0, life.indexOf(ours) + 1)];
      expect(await order.books(), `order ${sample} of ${life.join(', ')}`).toEqual({ path, movedMinor: ours === 'withdrawn' ? AMOUNT_MINOR : 0, cases: [...cases].toSorted() });
      expect(order.asked()).toBe(asked);
    }
    expect([...reached].toSorted()).toEqual([
      'contradiction: honoured after the cancellation', 'contradiction: honoured after the expiry', 'contradiction: otherwise after the reversal', 'contradiction: voided after the withdrawal', 'late_reversal: reversed after the window',
    ]);
  }, TIMEOUT_MS);
});
