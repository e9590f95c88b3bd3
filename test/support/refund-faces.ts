import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { z } from 'zod';
import { isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';
import { call } from './http-call.ts';
import type { Answer, CallOptions } from './http-call.ts';

/** The faces by which refunds are asked for, each with its provider behind it. */
export const FACE_NAMES = ['conekta', 'gateway'] as const;

/** One of them. */
export type FaceName = (typeof FACE_NAMES)[number];

/** Something paid that can be given back: an order with one card charge, or a payment. Minor units. */
export interface Paid {
  readonly face: FaceName;
  /** What a refund of it names: the order, or the payment. */
  readonly orderId: string;
  /** What journal, faults and books know it by; the payment's own id at the gateway. */
  readonly chargeId: string;
  readonly currency: string;
  readonly amountMinor: number;
}

/** What is asked for. Minor units; without an amount all that remains (M5). */
export interface RefundWish {
  readonly amountMinor?: number | undefined;
  readonly reason?: string | undefined;
}

/**
 * What an answer means, whatever the dialect. `under_way`: taken in, and not known yet how it ends. `unavailable`: not known whether it was
 * taken in; to be asked again.
 */
export type RefundMeaning = 'done' | 'under_way' | 'refused' | 'unavailable';

/** An answer to a refund, and what it means. */
export interface RefundAnswer extends Answer {
  readonly meaning: RefundMeaning;
  /** Why it was refused: the code behind `conekta.errors.` or `gateway.errors.`; `null` when it was not. */
  readonly why: string | null;
}

/** What one face has of its own. */
interface Dialect {
  readonly currency: string;
  /** What its error codes begin with. */
  readonly errors: string;
  readonly path: (orderId: string) => string;
  readonly cancelPath: (orderId: string, refundId: string) => string;
  /** An amount as it is written in a body. */
  readonly amount: (amountMinor: number) => string;
  /** Whether an answer that is no error says that the money is with the payer. */
  readonly isDone: (answer: Answer) => boolean;
  /** What an answer that is no error lacks: it must tell of what is given back, and where to look while that is under way. `null`: nothing. */
  readonly lacks: (answer: Answer, orderId: string, isDone: boolean) => string | null;
  /** What an answer says was given back: by this refund, or altogether. */
  readonly expectShown: (answer: Answer, paid: Paid, refundMinor: number, totalMinor: number) => void;
}

const messageSchema = z.looseObject({ id: z.string(), status: z.string(), status_detail: z.string().nullable(), reference: z.string() });
const orderSchema = z.looseObject({ object: z.literal('order'), id: z.string() });

/** An amount with two places, as the gateway writes it and may be written to. Minor units. */
export function decimal(amountMinor: number): string {
  return `${Math.trunc(amountMinor / 100)}.${String(amountMinor % 100).padStart(2, '0')}`;
}

const DIALECTS: Readonly<Record<FaceName, Dialect>> = {
  conekta: {
    currency: 'MXN', errors: 'conekta.errors.', path: (orderId) => `/orders/${orderId}/refunds`, cancelPath: (orderId, refundId) => `/orders/${orderId}/refunds/${refundId}`,
    amount: String,
    isDone: ({ status }) => status === 200,
    lacks: ({ status, header, body }, orderId, isDone) => {
      const order = orderSchema.safeParse(body);
      if (!order.success || order.data.id !== orderId) return `answered with ${status} and without the order`;
      return isDone || header('location') === `/orders/${orderId}` ? null : `answered with ${status} and without Location`;
    },
    expectShown: ({ body }, { amountMinor }, _, totalMinor) => {
      expect(body).toMatchObject({ amount_refunded: totalMinor, payment_status: totalMinor === amountMinor ? 'refunded' : 'partially_refunded' });
    },
  },
  gateway: {
    currency: 'ARS', errors: 'gateway.errors.', path: (orderId) => `/api/v2/pagos/devolucion/${orderId}`, cancelPath: (orderId, refundId) => `/api/v2/pagos/devolucion/${orderId}?refund_id=${refundId}`,
    amount: decimal,
    isDone: ({ body }) => messageSchema.safeParse(body).data?.status === 'refunded',
    lacks: ({ status, header, body }, orderId, isDone) => {
      const message = messageSchema.safeParse(body);
      if (!message.success || message.data.reference !== orderId) return `answered with ${status} and without the message`;
      if (!isDone && isFinalRefundStatus(message.data.status as RefundStatus)) return `answered with ${status}, and says ${message.data.status}`;
      return isDone || header('location')?.endsWith(`/pagos/devolucion/${orderId}?refund_id=${message.data.id}`) === true ? null : `answered with ${status} and without Location`;
    },
    expectShown: ({ text, header }, { orderId }, refundMinor) => {
      expect(text).toContain(`"amount":${decimal(refundMinor)},`);
      expect(JSON.parse(text)).toMatchObject({ id: header('reintegro-refund-id'), reference: orderId, status: 'refunded' });
    },
  },
};

/** Reads what an answer of a face means. */
export function readAnswer(face: FaceName, answer: Answer): RefundAnswer {
  const { errors, isDone } = DIALECTS[face];
  if (answer.status < 300) return { ...answer, meaning: isDone(answer) ? 'done' : 'under_way', why: null };
  const code = z.object({ details: z.array(z.object({ code: z.string() })) }).safeParse(answer.body).data?.details[0]?.code ?? '';
  return { ...answer, meaning: answer.status === 503 ? 'unavailable' : 'refused', why: code.startsWith(errors) ? code.slice(errors.length) : `not in the dialect: ${code}` };
}

/** What is wrong with the form of an answer that promises something; `null` when nothing is. */
export function lacksOf(face: FaceName, answer: RefundAnswer, orderId: string): string | null {
  return answer.meaning === 'done' || answer.meaning === 'under_way' ? DIALECTS[face].lacks(answer, orderId, answer.meaning === 'done') : null;
}

/** The body of a refund, as its dialect writes it. */
export function refundBody(face: FaceName, { amountMinor, reason }: RefundWish): string {
  const fields = [...(amountMinor === undefined ? [] : [`"amount":${DIALECTS[face].amount(amountMinor)}`]), ...(reason === undefined ? [] : [`"reason":${JSON.stringify(reason)}`])];
  return `{${fields.join(',')}}`;
}

/** Where a refund of it is asked for. */
export function refundPath({ face, orderId }: Pick<Paid, 'face' | 'orderId'>): string {
  return DIALECTS[face].path(orderId);
}

/** A refund that succeeded, as its answer tells it: this much by it, and this much altogether. Minor units. */
export function expectDone(answer: RefundAnswer, paid: Paid, refundMinor: number, totalMinor: number = refundMinor): void {
  expect(answer.meaning, answer.text).toBe('done');
  expect(lacksOf(paid.face, answer, paid.orderId)).toBeNull();
  DIALECTS[paid.face].expectShown(answer, paid, refundMinor, totalMinor);
}

/** A refund whose outcome is not known yet, with the address that will tell. */
export function expectUnderWay(answer: RefundAnswer, paid: Paid): void {
  expect(answer.meaning, answer.text).toBe('under_way');
  expect(lacksOf(paid.face, answer, paid.orderId)).toBeNull();
}

/** A refusal by its HTTP status, which is the same over both faces. */
export function expectRefused(answer: RefundAnswer, status: number, why?: string): void {
  expect(answer, answer.text).toMatchObject({ meaning: 'refused', status, ...(why === undefined ? {} : { why }) });
}

/** A key of Reintegro's demo merchants, and what they are known by at the sandbox. */
export const SANDBOX_KEYS = { key_demo: 'key_sandbox_demo', key_demo_two: 'key_sandbox_demo_two' } as const;

/** The two ends of a running product that a merchant sees. */
export interface MerchantSide {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly key?: keyof typeof SANDBOX_KEYS;
}

/** A merchant that speaks to one face. */
export type RefundFace = ReturnType<typeof refundFace>;

/** Makes a merchant that pays and asks for refunds over a face; the demo merchant unless the key says otherwise. */
export function refundFace(face: FaceName, { apiUrl, sandboxUrl, key = 'key_demo' }: MerchantSide) {
  const { currency, cancelPath } = DIALECTS[face];
  const refundAs = async (paid: Pick<Paid, 'orderId'>, options: CallOptions): Promise<RefundAnswer> =>
    readAnswer(face, await call('POST', `${apiUrl}${refundPath({ face, orderId: paid.orderId })}`, { key, ...options }));
  return {
    face, currency,
    /** Somebody pays this much: an order through Reintegro, a payment straight at the sandbox. */
    pay: (amountMinor: number): Promise<Paid> => (face === 'conekta' ? payOrder(apiUrl, key, amountMinor) : payAtGateway(sandboxUrl, SANDBOX_KEYS[key], { amountMinor })),
    refund: (paid: Pick<Paid, 'orderId'>, wish: RefundWish, idempotencyKey: string = randomUUID()): Promise<RefundAnswer> =>
      refundAs(paid, { idempotencyKey, body: refundBody(face, wish) }),
    /** The same with whatever body and headers. */
    refundAs,
    /** Calls a refund off (R4): 200 when it is, 202 while the verdict is out, 428 when it is too late. */
    cancel: ({ orderId }: Pick<Paid, 'orderId'>, refundId: string): Promise<Answer> => call('DELETE', `${apiUrl}${cancelPath(orderId, refundId)}`, { key }),
  };
}

/** What a merchant's customer pays for, as Conekta has it. Minor units, one card charge for each amount. */
export function orderOf(amountsMinor: readonly number[]): object {
  const totalMinor = amountsMinor.reduce((sum, amountMinor) => sum + amountMinor, 0);
  return {
    currency: 'MXN', customer_info: { name: 'Frida Kahlo', email: 'frida@example.com', phone: '+5215555555555' },
    line_items: [{ name: 'Box of pencils', unit_price: totalMinor, quantity: 1 }],
    charges: amountsMinor.map((amount) => ({ amount, payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } })),
  };
}

async function payOrder(apiUrl: string, key: string, amountMinor: number): Promise<Paid> {
  const answer = await call('POST', `${apiUrl}/orders`, { key, body: orderOf([amountMinor]) });
  expect(answer.status, answer.text).toBe(200);
  const order = z.object({ id: z.string(), charges: z.object({ data: z.array(z.object({ id: z.string() })) }) }).parse(answer.body);
  return { face: 'conekta', orderId: order.id, chargeId: order.charges.data[0]?.id ?? '', currency: DIALECTS.conekta.currency, amountMinor };
}

/** Pays at the gateway, straight at the sandbox. `fields` are the sandbox's own (docs/sandbox.md), as they are written in JSON. */
export async function payAtGateway(sandboxUrl: string, sandboxKey: string, { amountMinor, fields = {} }: { readonly amountMinor: number; readonly fields?: Readonly<Record<string, string>> }): Promise<Paid> {
  const body = `{${Object.entries({ amount: decimal(amountMinor), ...fields }).map(([name, json]) => `"${name}":${json}`).join(',')}}`;
  const answer = await call('POST', `${sandboxUrl}/api/v2/pagos`, { key: sandboxKey, body });
  expect(answer.status, answer.text).toBe(200);
  const { id } = z.object({ id: z.string() }).parse(answer.body);
  return { face: 'gateway', orderId: id, chargeId: id, currency: DIALECTS.gateway.currency, amountMinor };
}
