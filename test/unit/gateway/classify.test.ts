import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createGatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { GatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { ProviderErrorDetails, ProviderErrorKind } from '../../../src/providers/provider-error.ts';
import { failureOf } from '../conekta/golden.ts';
import { respond, respondText, startScriptedServer } from '../conekta/scripted-server.ts';
import type { Script, ScriptedServer } from '../conekta/scripted-server.ts';
import { CALL, LEG, PAYMENT_ID, REFUND, message, payment, refusal } from './golden.ts';

const MAX_BODY_BYTES = 64 * 1024;
const DEADLINE_MS = 1000;

/** The whole deadline passes now: `setTimeout` is the tests' own clock, so no load on the machine can decide a case. */
function passDeadline(): void {
  vi.advanceTimersByTime(DEADLINE_MS);
}

let server: ScriptedServer;
let adapter: GatewayAdapter;
const adapters: GatewayAdapter[] = [];

function connect(baseUrl: string, timeoutMs = 5000): GatewayAdapter {
  const created = createGatewayAdapter({ baseUrl, timeoutMs, maxBodyBytes: MAX_BODY_BYTES });
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

const send = () => adapter.submitRefund(CALL, REFUND);
const read = () => adapter.getOrder(CALL, PAYMENT_ID, LEG);

const CODE = 'gateway.errors.processing.refund.declined';
const ABSENT = 'gateway.errors.resource_not_found.entity';
const HTML = '<html><body>Bad gateway</body></html>';

interface Case {
  readonly title: string;
  readonly script: Script;
  readonly isLate?: boolean;
  readonly send: ProviderErrorKind;
  readonly read?: ProviderErrorKind;
  readonly details?: ProviderErrorDetails;
}

const REFUSALS: readonly Case[] = [400, 402, 404, 409, 422, 428].flatMap((httpStatus): readonly Case[] => [
  {
    title: `${httpStatus} with an error`, script: respond(httpStatus, refusal(CODE)), send: 'declined', read: httpStatus === 404 ? 'unknown' : 'declined',
    details: { httpStatus, providerCode: CODE },
  },
  {
    title: `${httpStatus} that says the object is not there`, script: respond(httpStatus, refusal(ABSENT)), send: 'declined', read: httpStatus === 404 ? 'not_found' : 'declined',
    details: { httpStatus, providerCode: ABSENT },
  },
  { title: `${httpStatus} in HTML`, script: respondText(httpStatus, HTML), send: 'unknown', details: { httpStatus } },
  { title: `${httpStatus} with other JSON`, script: respond(httpStatus, { error: 'no' }), send: 'unknown', details: { httpStatus } },
  { title: `${httpStatus} with the code of another provider`, script: respond(httpStatus, refusal('conekta.errors.processing')), send: 'unknown', details: { httpStatus } },
  { title: `${httpStatus} with a code of free text`, script: respond(httpStatus, refusal('gateway.errors.ana@example.com')), send: 'unknown', details: { httpStatus } },
]);

const STATUSES: readonly Case[] = [
  ...[401, 403].map((httpStatus): Case => ({ title: String(httpStatus), script: respond(httpStatus, refusal()), send: 'not_sent', details: { httpStatus } })),
  ...[301, 307, 405, 406, 408, 410, 413, 415, 418, 423, 451, 500, 502, 503, 504].map((httpStatus): Case => ({
    title: `${httpStatus} with an error`, script: respond(httpStatus, refusal(), { location: '/elsewhere', 'retry-after': '1' }), send: 'unknown', details: { httpStatus },
  })),
  { title: '429', script: respondText(429, HTML), send: 'not_sent', details: { httpStatus: 429 } },
  { title: '429 with Retry-After', script: respondText(429, '', { 'retry-after': '7' }), send: 'not_sent', details: { httpStatus: 429, retryAfterMs: 7000 } },
];

const BODIES: readonly Case[] = [
  { title: '200 in HTML', script: respondText(200, HTML), send: 'unknown' },
  { title: '200 with an empty body', script: respondText(200, ''), send: 'unknown' },
  { title: '204', script: respondText(204, ''), send: 'unknown' },
  { title: '200 with half a JSON body', script: respondText(200, '{"id":"dev_1","amount":100.0', { connection: 'close' }), send: 'unknown' },
  { title: '200 with invalid UTF-8', script: respondText(200, Buffer.from([0x22, 0xff, 0x22])), send: 'unknown' },
  { title: '200 with null', script: respond(200, null), send: 'unknown' },
  { title: '200 with a number', script: respondText(200, '100.00'), send: 'unknown' },
  { title: '200 with a list', script: respond(200, [message(), payment()]), send: 'unknown' },
  { title: '200 with an error body', script: respond(200, refusal()), send: 'unknown' },
  { title: '200 over the size cap', script: respond(200, { ...payment(), ...message(), pad: 'x'.repeat(2 * MAX_BODY_BYTES) }), send: 'unknown' },
  {
    title: '200 with fewer bytes than announced', send: 'unknown',
    script: (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"id":');
      setImmediate(() => response.destroy());
    },
  },
];

const TRANSPORT: readonly Case[] = [
  { title: 'a reset after the request', script: (response) => response.socket?.resetAndDestroy(), send: 'unknown' },
  { title: 'a hang-up after the request', script: (response) => response.socket?.destroy(), send: 'unknown' },
  { title: 'no answer within the deadline', script: passDeadline, isLate: true, send: 'unknown' },
];

describe('an answer of the gateway', () => {
  describe.each([...REFUSALS, ...STATUSES, ...BODIES, ...TRANSPORT])('$title', (row) => {
    it.each([
      { name: 'submitRefund', call: send, kind: row.send },
      { name: 'getOrder', call: read, kind: row.read ?? row.send },
    ])('should be $kind for $name, asked once (S4)', async ({ call, kind }) => {
      if (row.isLate === true) vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      adapter = connect(server.baseUrl, row.isLate === true ? DEADLINE_MS : 5000);
      server.script(row.script);
      const failure = await failureOf(call());
      expect(failure.kind).toBe(kind);
      if (row.details !== undefined) expect(failure.details).toEqual(row.details);
      expect(server.seen).toHaveLength(1);
    });
  });

  it('should be not_sent when the connection is refused (S4)', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const failure = await failureOf(connect(`http://127.0.0.1:${port}`).submitRefund(CALL, REFUND));
    expect(failure).toMatchObject({ kind: 'not_sent', message: 'Gateway: the connection failed (ECONNREFUSED), before the request was written' });
  });

  it.each(['ftp://gateway.invalid', 'gateway'])('should not come of a base URL that is %s', (baseUrl) => {
    expect(() => createGatewayAdapter({ baseUrl, timeoutMs: 1 })).toThrow(TypeError);
  });

  it('should have one deadline for both requests of a look (S4)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    adapter = connect(server.baseUrl, DEADLINE_MS);
    server.script((response, request) => {
      vi.advanceTimersByTime(DEADLINE_MS * 0.6);
      if (!request.url.includes('?')) respond(200, payment())(response, request);
    });
    expect((await failureOf(read())).kind).toBe('unknown');
    expect(server.seen).toHaveLength(2);
  });
});

describe('saysNothingLeft', () => {
  it.each([
    [428, 'gateway.errors.precondition_required.payment.is_not_refundable'],
    [422, 'gateway.errors.parameter_validation.amount.greater_than_remaining'],
    [422, 'gateway.errors.parameter_validation.amount.invalid'],
    [409, 'gateway.errors.precondition_required.payment.is_not_refundable'],
  ])('should be told of %d with %s (S4)', async (status, code) => {
    adapter = connect(server.baseUrl);
    server.script(respond(status, refusal(code)));
    expect(await failureOf(send())).toMatchObject({ kind: 'declined', details: { httpStatus: status, providerCode: code, saysNothingLeft: true } });
    expect((await failureOf(read())).details).not.toHaveProperty('saysNothingLeft');
  });

  it.each([
    CODE,
    'gateway.errors.precondition_required.payment.is_not_refundable_yet',
    'gateway.errors.precondition_required.order.is_not_refundable',
    'gateway.errors.parameter_validation.amount',
    'gateway.errors.parameter_validation.amount_cents.invalid',
    'gateway.errors.parameter_validation.type.amount.invalid',
  ])('should not be told by %s (S4)', async (code) => {
    adapter = connect(server.baseUrl);
    server.script(respond(422, refusal(code)));
    const failure = await failureOf(send());
    expect(failure.kind).toBe('declined');
    expect(failure.details).not.toHaveProperty('saysNothingLeft');
  });

  it.each([401, 403, 429, 500, 503])('should not be told by an answer that is no refusal: %d (S4, S7)', async (status) => {
    adapter = connect(server.baseUrl);
    server.script(respond(status, refusal('gateway.errors.precondition_required.payment.is_not_refundable')));
    const failure = await failureOf(send());
    expect(failure.kind).not.toBe('declined');
    expect(failure.details).not.toHaveProperty('saysNothingLeft');
  });
});

describe('ProviderError of the gateway adapter', () => {
  const CANARIES = ['key_canarySecret', 'canary@example.com', '5522997233', '127.0.0.1', 'elsewhere', LEG, PAYMENT_ID];
  const poison = { name: 'canary@example.com', phone: '5522997233' };
  const poisoned = { ...refusal(CODE), details: [{ code: CODE, message: 'canary@example.com', debug_message: 'key_canarySecret' }], data: poison };
  const scripts: readonly Script[] = [
    ...[400, 401, 404, 422, 428, 429, 500].map((status) => respond(status, poisoned, { location: '/elsewhere' })),
    respond(422, refusal('gateway.errors.canary@example.com')),
    respond(200, { ...payment(), currency_id: 'canary@example.com', poison }),
    respond(200, message({ status: '5522997233', metadata: poison, source: { 'canary@example.com': 1, type: 'canary@example.com' } })),
    respond(200, message({ reference: 'canary@example.com' })),
    respondText(200, 'canary@example.com 5522997233 key_canarySecret'),
    (response) => response.socket?.resetAndDestroy(),
  ];

  it('should carry no key, personal data, body, id or address in any part of it (I7)', async () => {
    adapter = connect(server.baseUrl);
    for (const script of scripts) {
      server.script(script);
      for (const call of [send, read]) {
        const failure = await failureOf(call());
        const shown = [failure.message, failure.stack?.split('\n    at ')[0], JSON.stringify(failure), JSON.stringify(failure.details), String(failure.cause)].join('\n');
        for (const canary of CANARIES) expect(shown).not.toContain(canary);
      }
    }
  });
});
