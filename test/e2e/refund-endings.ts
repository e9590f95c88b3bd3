import { expect } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { expectDone } from '../support/refund-faces.ts';
import type { Paid, RefundAnswer, RefundFace, RefundWish } from '../support/refund-faces.ts';
import { untilAnswered, untilTold } from './merchant-backend.ts';
import type { ProviderSide } from './provider-side.ts';

/** What is paid before each of them, minor units. */
export const PAID_MINOR = 50_000;

/** A refund that is about to be asked for by the demo merchant. */
interface Asking {
  readonly paid: Paid;
  readonly key: string;
  readonly face: RefundFace;
  readonly provider: ProviderSide;
  readonly untilOnRecord: () => Promise<void>;
}

/** A way in which a refund ends: the HTTP status of its refusal, `null` for a success, and what has moved on the charge by then, minor units. */
interface RefundEnding {
  readonly name: string;
  readonly wish: RefundWish;
  readonly refused: number | null;
  readonly moved: readonly number[];
  readonly ask: (asking: Asking, wish: RefundWish) => Promise<RefundAnswer>;
}

const justAsk: RefundEnding['ask'] = ({ face, paid, key }, wish) => face.refund(paid, wish, key);

/** Asks for a refund whose order or payment the provider does not show, so that it waits, and calls it off. */
async function askAndCallOff({ face, paid, key, provider, untilOnRecord }: Asking, wish: RefundWish): Promise<RefundAnswer> {
  await provider.arm({ operation: 'order.get', mode: 'unavailable', times: 20, charge_id: paid.chargeId });
  const asked = face.refund(paid, wish, key);
  await untilOnRecord();
  expect(await untilAnswered(() => face.cancel(paid, deriveRefundId('merchant_demo', paid.orderId, key)))).toMatchObject({ status: 200 });
  await asked;
  return untilTold(() => face.refund(paid, wish, key));
}

/** Every way in which a refund ends whose caller is told at once. */
export const REFUND_ENDINGS: readonly RefundEnding[] = [
  { name: 'refunded', wish: { amountMinor: 700 }, refused: null, moved: [700], ask: justAsk },
  { name: 'declined by the provider', wish: { amountMinor: 10_901 }, refused: 402, moved: [], ask: justAsk },
  { name: 'refused for its amount', wish: { amountMinor: PAID_MINOR + 1 }, refused: 422, moved: [], ask: justAsk },
  {
    name: 'refused as not returnable', wish: {}, refused: 428, moved: [PAID_MINOR],
    ask: async (asking, wish) => {
      expectDone(await asking.face.refund(asking.paid, {}), asking.paid, PAID_MINOR);
      return justAsk(asking, wish);
    },
  },
  { name: 'cancelled', wish: { amountMinor: 700 }, refused: 402, moved: [], ask: askAndCallOff },
];

/** What an error says, or what a success shows; the id of an error's log entry is its own. */
export function told({ body }: RefundAnswer): unknown {
  return (body as { readonly details?: unknown }).details ?? body;
}
