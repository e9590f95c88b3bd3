import type { Dispatcher } from 'undici';
import { ProviderError } from '../provider-error.ts';

/** What came back over the wire, undecoded. */
export interface WireAnswer {
  readonly httpStatus: number;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

/** The limits of one exchange. */
export interface ExchangeLimits {
  /** The provider's name, as failures say it. */
  readonly label: string;
  /** From now to the last byte of the answer, in milliseconds: connecting, headers and body. */
  readonly deadlineMs: number;
  readonly maxBodyBytes: number;
}

type IncomingHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

const ERROR_CODE = /^[A-Z][A-Z0-9_]{1,60}$/;

/** The transport's own code, and never its message: that one may carry addresses. */
function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && ERROR_CODE.test(code) ? code : error.name;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/**
 * One HTTP request and its answer, as an undici handler. It knows whether the request was handed to a connection, which
 * is what tells `not_sent` from `unknown` (S4), and it lets that happen once only. `answer` rejects with `ProviderError`.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<WireAnswer>;
  readonly #label: string;
  readonly #maxBodyBytes: number;
  readonly #deadline: NodeJS.Timeout;
  #resolve: (answer: WireAnswer) => void = () => undefined;
  #reject: (error: ProviderError) => void = () => undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #written = false;
  #httpStatus = 0;
  #retryAfter: string | undefined;
  #chunks: Buffer[] = [];
  #bodyBytes = 0;

  constructor(limits: ExchangeLimits) {
    this.#label = limits.label;
    this.#maxBodyBytes = limits.maxBodyBytes;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#deadline = setTimeout(() => this.#fail('no complete answer within the deadline'), Math.max(0, limits.deadlineMs));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Called right before the first byte. Too late, or a second time after a lost connection: must not go out (S4).
    if (this.#settled || this.#written) {
      controller.abort(new Error('not to be written'));
      return;
    }
    this.#written = true;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, httpStatus: number, headers: IncomingHeaders): void {
    if (httpStatus < 200) return;
    this.#httpStatus = httpStatus;
    this.#retryAfter = firstOf(headers['retry-after']);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#maxBodyBytes) {
      this.#fail('the answer is larger than allowed');
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#finish()) return;
    this.#resolve({ httpStatus: this.#httpStatus, retryAfter: this.#retryAfter, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(`the connection failed (${codeOf(error)})`);
  }

  #finish(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#deadline);
    return true;
  }

  #fail(reason: string): void {
    if (!this.#finish()) return;
    this.#chunks = [];
    const details = this.#httpStatus === 0 ? {} : { httpStatus: this.#httpStatus };
    this.#reject(
      this.#written
        ? new ProviderError('unknown', `${this.#label}: ${reason}`, details)
        : new ProviderError('not_sent', `${this.#label}: ${reason}, before the request was written`, details),
    );
    this.#controller?.abort(new Error('exchange given up'));
  }
}
