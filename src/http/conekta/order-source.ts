import { Agent, request } from 'undici';
import type { KeyHolder } from '../../store/merchants.ts';
import { ApiError } from '../errors.ts';
import { PROVIDER } from './provider-name.ts';

/** Where orders come from: the provider, with the merchant's key for orders only. */
export interface OrderSourceSettings {
  readonly baseUrl: string;
  /** The merchant's key at its provider, which cannot move money; `undefined` when there is none. */
  readonly credentialOf: (merchantId: string, provider: string) => string | undefined;
  /** How long the provider may take for a whole answer, milliseconds. */
  readonly timeoutMs: number;
}

/** A call to pass on: the path below the provider's base with its query, headers, and the body as it came. */
export interface OrderCall {
  readonly method: 'GET' | 'POST';
  readonly pathAndQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** The provider's answer as it came. */
export interface OrderAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

/** The way to the provider's orders. */
export interface OrderSource {
  /** Passes a call on. @throws ApiError 503 when the provider cannot be reached, takes too long, or does not accept our key */
  call(caller: KeyHolder, call: OrderCall): Promise<OrderAnswer>;
  /** Ends its connections. */
  close(): Promise<void>;
}

const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/** Failures before anything was sent. */
const NEVER_SENT: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** Makes the way to the provider's orders (A1). Bodies are neither kept nor logged. */
export function createOrderSource(settings: OrderSourceSettings): OrderSource {
  const agent = new Agent({ maxResponseSize: MAX_ANSWER_BYTES });
  const baseUrl = settings.baseUrl.replace(/\/+$/, '');
  return {
    async call(caller, call) {
      const credential = settings.credentialOf(caller.merchantId, PROVIDER);
      if (credential === undefined) throw new ApiError({ code: 'orders_not_configured' });
      const answer = await exchange(agent, `${baseUrl}${call.pathAndQuery}`, { ...call, headers: { ...call.headers, authorization: `Bearer ${credential}` } }, settings.timeoutMs);
      return checkedAnswer(answer, call.method);
    },
    close: () => agent.destroy(),
  };
}

async function exchange(agent: Agent, url: string, { method, headers, body }: OrderCall, timeoutMs: number): Promise<OrderAnswer> {
  try {
    const response = await request(url, { dispatcher: agent, method, headers, body, signal: AbortSignal.timeout(timeoutMs) });
    const bytes = Buffer.from(await response.body.arrayBuffer());
    return { status: response.statusCode, contentType: first(response.headers['content-type']), retryAfter: first(response.headers['retry-after']), body: bytes };
  } catch (error) {
    const isUnsent = error instanceof Error && 'code' in error && NEVER_SENT.has(error.code);
    // An order whose creation got no answer may exist and be charged: repeating it blindly could charge twice.
    if (method === 'POST' && !isUnsent) throw new ApiError({ code: 'provider_outcome_unknown' }, { cause: error });
    throw new ApiError({ code: 'provider_unavailable' }, { cause: error, retryAfterSeconds: 1 });
  }
}

/** Answers that speak to us and not to the caller, or in no dialect at all, are not passed on. */
function checkedAnswer(answer: OrderAnswer, method: OrderCall['method']): OrderAnswer {
  const { status, contentType = '' } = answer;
  const cause = new Error(`the provider answered with status ${status}`);
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) throw new ApiError({ code: 'provider_unavailable' }, { retryAfterSeconds: 1, cause });
  if (status < 500 || /json/i.test(contentType)) return answer;
  if (method === 'POST') throw new ApiError({ code: 'provider_outcome_unknown' }, { cause });
  throw new ApiError({ code: 'provider_unavailable' }, { retryAfterSeconds: 1, cause });
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
