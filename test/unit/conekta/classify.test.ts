import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ProviderErrorDetails, ProviderErrorKind } from '../../../src/providers/provider-error.ts';
import { CALL, ORDER_ID, PAYOUT, PAYOUT_ORDER_ID, REFERENCE, REFUND, failureOf, seed } from './golden.ts';
import { respond, respondText, startScriptedServer } from './scripted-server.ts';
import type { Script, ScriptedServer } from './scripted-server.ts';

const MAX_BODY_BYTES = 64 * 1024;

const DEADLINE_MS = 1000;

/** The whole deadline passes now: `setTimeout` is the tests' own clock, so no load on the machine can decide a case. */
function passDeadline(): void {
  vi.advanceTimersByTime(DEADLINE_MS);
}

let server: ScriptedServer;
let adapter: ConektaAdapter;
const adapters: ConektaAdapter[] = [];

function connect(baseUrl: string, timeoutMs: number): ConektaAdapter {
  const created = createConektaAdapter({ baseUrl, timeoutMs, maxBodyBytes: MAX_BODY_BYTES });
  adapters.push(created);
  return created;
}

beforeAll(async () => {
  server = await startScriptedServer();
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(adapters.splice(0).map((each) => each.close()));
});
afterAll(() => server.close());

const SENDS = {
  submitRefund: () => adapter.submitRefund(CALL, REFUND),
  createPayoutOrder: () => adapter.createPayoutOrder(CALL, PAYOUT),
  cancelPayoutOrder: () => adapter.cancelPayoutOrder(CALL, PAYOUT_ORDER_ID),
};
const READS = {
  getOrder: () => adapter.getOrder(CALL, ORDER_ID),
  getPayoutOrder: () => adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID),
};
const SEARCHES = { findPayoutOrder: () => adapter.findPayoutOrder(CALL, REFERENCE, new Date(0)) };

const NOT_RETURNABLE = seed('error.order_not_returnable.es');
const NOT_RETURNABLE_CODE = 'conekta.errors.precondition_required.combo.order.is_not_returnable';
/** A refusal that says nothing about what is left. */
const REFUSED_CODE = 'conekta.errors.processing.charge_operations.refund.declined';
const REFUSED = { ...NOT_RETURNABLE, details: [{ code: REFUSED_CODE }] };
const HTML = '<html><body>Bad gateway</body></html>';

interface Case {
  readonly title: string;
  readonly script: Script;
  readonly timeoutMs?: number;
  readonly send: ProviderErrorKind;
  readonly read?: ProviderErrorKind;
  readonly search?: ProviderErrorKind;
  readonly details?: ProviderErrorDetails;
}

const REFUSALS: readonly Case[] = [400, 402, 404, 409, 422, 428].flatMap((httpStatus): readonly Case[] => [
  {
    title: `${httpStatus} with a Conekta error`,
    script: respond(httpStatus, REFUSED),
    send: 'declined',
    read: httpStatus === 404 ? 'not_found' : 'declined',
    search: httpStatus === 404 ? 'unknown' : 'declined',
    ...(httpStatus === 404 ? {} : { details: { httpStatus, providerCode: REFUSED_CODE } }),
  },
  { title: `${httpStatus} in HTML`, script: respondText(httpStatus, HTML), send: 'unknown', details: { httpStatus } },
  { title: `${httpStatus} with other JSON`, script: respond(httpStatus, { error: 'no' }), send: 'unknown', details: { httpStatus } },
  {
    title: `${httpStatus} with a code of free text`,
    script: respond(httpStatus, { ...NOT_RETURNABLE, details: [{ code: 'conekta.errors.ana@example.com' }] }),
    send: 'unknown',
    details: { httpStatus },
  },
]);

const STATUSES: readonly Case[] = [
  ...[401, 403].map((httpStatus): Case => ({ title: String(httpStatus), script: respond(httpStatus, NOT_RETURNABLE), send: 'not_sent', details: { httpStatus } })),
  ...[301, 307, 405, 408, 410, 413, 418, 500, 502, 503, 504].map(
    (httpStatus): Case => ({
      title: `${httpStatus} with a Conekta error`,
      script: respond(httpStatus, NOT_RETURNABLE, { location: '/elsewhere', 'retry-after': '1' }),
      send: 'unknown',
      details: { httpStatus },
    }),
  ),
  { title: '429', script: respondText(429, HTML), send: 'not_sent', details: { httpStatus: 429 } },
  { title: '429 with Retry-After', script: respondText(429, '', { 'retry-after': '7' }), send: 'not_sent', details: { httpStatus: 429, retryAfterMs: 7000 } },
  { title: '429 with an absurd Retry-After', script: respondText(429, '', { 'retry-after': 'x' }), send: 'not_sent', details: { httpStatus: 429 } },
];

const BODIES: readonly Case[] = [
  { title: '200 in HTML', script: respondText(200, HTML), send: 'unknown' },
  { title: '200 with an empty body', script: respondText(200, ''), send: 'unknown' },
  { title: '204', script: respondText(204, ''), send: 'unknown' },
  { title: '200 with half a JSON body', script: respondText(200, '{"id":"ord_2tgv', { connection: 'close' }), send: 'unknown' },
  { title: '200 with invalid UTF-8', script: respondText(200, Buffer.from([0x22, 0xff, 0x22])), send: 'unknown' },
  { title: '200 with null', script: respond(200, null), send: 'unknown' },
  { title: '200 with an array', script: respond(200, [seed('order.refund.response')]), send: 'unknown' },
  { title: '200 with an error body', script: respond(200, NOT_RETURNABLE), send: 'unknown' },
  {
    title: '200 with fewer bytes than announced',
    script: (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"id":');
      setImmediate(() => response.destroy());
    },
    send: 'unknown',
  },
];

const TRANSPORT: readonly Case[] = [
  { title: 'a reset after the request', script: (response) => response.socket?.resetAndDestroy(), send: 'unknown' },
  { title: 'a hang-up after the request', script: (response) => response.socket?.destroy(), send: 'unknown' },
  { title: 'no answer within the deadline', script: passDeadline, timeoutMs: DEADLINE_MS, send: 'unknown' },
  {
    title: 'an answer that drips',
    script: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 1);
      response.on('close', () => clearInterval(drip));
      setImmediate(passDeadline);
    },
    timeoutMs: DEADLINE_MS,
    send: 'unknown',
  },
];

describe('readAnswer', () => {
  describe.each([...REFUSALS, ...STATUSES, ...BODIES, ...TRANSPORT])('$title', ({ script, timeoutMs, send, read, search, details }) => {
    const expectations = [
      ...Object.entries(SENDS).map(([name, call]) => ({ name, call, kind: send })),
      ...Object.entries(READS).map(([name, call]) => ({ name, call, kind: read ?? send })),
      ...Object.entries(SEARCHES).map(([name, call]) => ({ name, call, kind: search ?? read ?? send })),
    ];
    it.each(expectations)('should be $kind for $name, asked once (S4)', async ({ call, kind }) => {
      if (timeoutMs !== undefined) vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      adapter = connect(server.baseUrl, timeoutMs ?? 5000);
      server.script(script);
      const failure = await failureOf(call());
      expect(failure.kind).toBe(kind);
      if (details !== undefined) expect(failure.details).toEqual(details);
      expect(server.seen).toHaveLength(1);
    });
  });

  it('should cut off a body over the cap, valid though it is (S4)', async () => {
    adapter = connect(server.baseUrl, 5000);
    const order = (padBytes: number) => ({ ...seed('order.refund.response'), pad: 'x'.repeat(padBytes) });
    server.script(respond(200, order(1024)));
    expect((await adapter.getOrder(CALL, ORDER_ID)).orderId).toBe(ORDER_ID);
    // Never ended, so that only the client can close it.
    const closed = new Promise<void>((resolve) => {
      server.script((response) => {
        response.on('close', resolve);
        response.writeHead(200);
        response.write(JSON.stringify(order(10 * 1024 * 1024)));
      });
    });
    const failure = await failureOf(adapter.submitRefund(CALL, REFUND));
    expect(failure).toMatchObject({ kind: 'unknown', message: 'Conekta: the answer is larger than allowed' });
    await closed;
  });

  it('should be not_sent when the connection is refused (S4)', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const failure = await failureOf(connect(`http://127.0.0.1:${port}`, 5000).submitRefund(CALL, REFUND));
    expect(failure.kind).toBe('not_sent');
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('should be not_sent when the name does not resolve (S4)', async () => {
    const failure = await failureOf(connect('http://nowhere.invalid', 5000).submitRefund(CALL, REFUND));
    expect(failure.kind).toBe('not_sent');
  });

  it('should be not_sent when the credential cannot be a header (S4)', async () => {
    const failure = await failureOf(connect(server.baseUrl, 5000).submitRefund({ credential: 'key\r\nx: y' }, REFUND));
    expect(failure.kind).toBe('not_sent');
  });

  it('should be unknown when a kept-alive connection breaks under the second request (S4)', async () => {
    adapter = connect(server.baseUrl, 5000);
    server.script(respond(200, seed('order.refund.response')));
    await adapter.submitRefund(CALL, REFUND);
    server.script((response) => response.socket?.destroy());
    expect((await failureOf(adapter.submitRefund(CALL, REFUND))).kind).toBe('unknown');
    expect(server.seen).toHaveLength(1);
  });
});

describe('ProviderError of the Conekta adapter', () => {
  const CANARIES = ['key_canarySecret', 'canary@example.com', '5522997233', '127.0.0.1', 'Nicol', 'elsewhere'];
  const poison = { name: 'Nicolás', email: 'canary@example.com', phone: '5522997233' };
  const poisonedError = { ...NOT_RETURNABLE, details: [{ code: NOT_RETURNABLE_CODE, message: 'canary@example.com', debug_message: 'key_canarySecret' }], data: poison };
  const scripts: readonly Script[] = [
    ...[400, 401, 404, 422, 428, 429, 500].map((status) => respond(status, poisonedError, { location: '/elsewhere' })),
    respond(422, { ...poisonedError, details: [{ code: 'canary@example.com' }] }),
    respond(200, { ...seed('order.refund.response'), currency: 'canary@example.com', customer_info: poison }),
    respond(200, { ...seed('payout_order.cancel.response'), status: '5522997233', metadata: { 'canary@example.com': 1, reintegro_id: 5522997233 } }),
    respondText(200, 'canary@example.com 5522997233 key_canarySecret'),
    respond(200, { has_more: false, data: [{ id: 5522997233, metadata: poison }] }),
    (response) => response.socket?.resetAndDestroy(),
  ];

  it('should carry no key, personal data, body or address in any part of it (I7)', async () => {
    adapter = connect(server.baseUrl, 5000);
    for (const script of scripts) {
      server.script(script);
      for (const call of Object.values({ ...SENDS, ...READS, ...SEARCHES })) {
        const failure = await failureOf(call());
        const shown = [failure.message, failure.stack?.split('\n    at ')[0], JSON.stringify(failure), JSON.stringify(failure.details), String(failure.cause)].join('\n');
        for (const canary of CANARIES) expect(shown).not.toContain(canary);
      }
    }
  });
});
