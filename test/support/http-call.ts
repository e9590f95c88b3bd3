import { Agent, request } from 'undici';

/** Connections are not kept: one left over from a killed process would fail a later call. */
const agent = new Agent({ pipelining: 0 });

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** As it was written: amounts of the gateway have two places there. */
  readonly text: string;
  readonly body: unknown;
}

/** What a call sends beside method and address. */
export interface CallOptions {
  readonly key?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Text goes as it is, anything else as JSON. */
  readonly body?: object | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One JSON call. @throws when the connection is refused or lost */
export async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, { key, idempotencyKey, body, headers }: CallOptions = {}): Promise<Answer> {
  const response = await request(url, {
    method, dispatcher: agent, body: body === undefined || typeof body === 'string' ? body ?? null : JSON.stringify(body),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }), ...headers,
    },
  });
  const text = await response.body.text();
  const header = (name: string): string | undefined => [response.headers[name]].flat()[0];
  return { status: response.statusCode, header, text, body: text === '' ? null : JSON.parse(text) as unknown };
}
