import { Agent } from 'undici';
import { PRODUCT_VERSION } from '../../domain/product-version.ts';
import { Exchange } from './exchange.ts';
import type { WireAnswer } from './exchange.ts';

/** How a provider is reached. */
export interface WireClientOptions {
  /** Scheme, host and, when there is one, a path prefix. */
  readonly baseUrl: string;
  /** Total deadline of one adapter call, in milliseconds. */
  readonly timeoutMs: number;
  /** Cap on an answer's body, in bytes; 1 MiB when omitted. */
  readonly maxBodyBytes?: number;
}

/** What tells one provider's requests from another's. */
export interface WireIdentity {
  /** The provider's name, as failures say it. */
  readonly label: string;
  /** The media type asked for. */
  readonly accept: string;
}

/** One request, on whose credential and until when. */
export interface WireRequest {
  readonly credential: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query below the base URL, already encoded. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** On the clock of `performance.now()`. */
  readonly deadlineAtMs: number;
}

/** The bare HTTP side: no classification, no retries, no redirects. */
export interface WireClient {
  /** The moment a call that starts now must be over, on the clock of `performance.now()`. */
  deadlineAtMs(): number;
  /** Sends one request once. Rejects with `ProviderError`: `not_sent` before the first byte, `unknown` after it. */
  send(request: WireRequest): Promise<WireAnswer>;
  /** Waits for what is in flight and closes all connections. */
  close(): Promise<void>;
}

const USER_AGENT = `reintegro/${PRODUCT_VERSION}`;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

function parseBaseUrl(label: string, baseUrl: string): { readonly origin: string; readonly prefix: string } {
  const url = new URL(baseUrl);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError(`the base URL of ${label} must be http or https`);
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

function headersOf(accept: string, request: WireRequest): Record<string, string> {
  return {
    accept,
    'accept-language': 'en',
    authorization: `Bearer ${request.credential}`,
    'user-agent': USER_AGENT,
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

/** Creates the client of one provider and its pool of kept-alive connections. Throws `TypeError` when the base URL is unusable. */
export function createWireClient({ label, accept }: WireIdentity, options: WireClientOptions): WireClient {
  const { origin, prefix } = parseBaseUrl(label, options.baseUrl);
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  // One deadline rules (the exchange's), so undici's own are off; HTTP/1.1 only, where a request is on one connection.
  const agent = new Agent({ allowH2: false, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: options.timeoutMs } });
  return {
    deadlineAtMs: () => performance.now() + options.timeoutMs,
    send(request) {
      const exchange = new Exchange({ label, deadlineMs: request.deadlineAtMs - performance.now(), maxBodyBytes });
      agent.dispatch(
        {
          origin,
          path: `${prefix}${request.path}`,
          method: request.method,
          headers: headersOf(accept, request),
          ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        },
        exchange,
      );
      return exchange.answer;
    },
    close: () => agent.close(),
  };
}
