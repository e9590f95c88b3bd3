import { sign } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { Alarm } from './alarm.ts';
import type { SandboxDatabase } from './sandbox-database.ts';
import { markDelivered, markFailed, nextDeliveries, type Delivery, type WebhookTargetName } from './webhook-queue.ts';

/** Where events go, and the key that signs them. */
export interface WebhookTarget {
  readonly url: string;
  /** RSA private key, PEM. */
  readonly privateKeyPem: string;
}

const MAX_IN_FLIGHT = 8;
const ATTEMPT_TIMEOUT_MS = 10_000;

/**
 * Sends the deliveries queued for one receiver, each until it is answered with 2xx (PRODUCT X5). A delivery whose answer is lost is sent again: at least
 * once, never exactly once. The signature is base64 RSA-SHA256 (PKCS#1 v1.5) over the body's bytes, in the header `DIGEST`.
 */
export class WebhookDispatcher {
  readonly #db: SandboxDatabase;
  readonly #name: WebhookTargetName;
  readonly #target: WebhookTarget;
  readonly #log: FastifyBaseLogger;
  readonly #alarm: Alarm;
  readonly #inFlight = new Map<number, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(db: SandboxDatabase, name: WebhookTargetName, target: WebhookTarget, log: FastifyBaseLogger) {
    this.#db = db;
    this.#name = name;
    this.#target = target;
    this.#log = log;
    this.#alarm = new Alarm(() => this.#candidates()[0]?.next_attempt_at_ms, () => this.#sendDue());
  }

  /** Looks at the queue again: something may have been added. */
  wake(): void {
    this.#alarm.set();
  }

  /** Stops sending; an attempt that is under way is given up and stays queued. */
  async close(): Promise<void> {
    this.#alarm.stop();
    this.#closing.abort();
    await Promise.all(this.#inFlight.values());
  }

  /** What may be sent next, apart from what is under way. With all places taken: nothing, the next look comes when one is free. */
  #candidates(): Delivery[] {
    const places = MAX_IN_FLIGHT - this.#inFlight.size;
    if (places === 0) return [];
    return nextDeliveries(this.#db, this.#name, MAX_IN_FLIGHT).filter((delivery) => !this.#inFlight.has(delivery.id)).slice(0, places);
  }

  #sendDue(): void {
    const nowMs = Date.now();
    for (const delivery of this.#candidates()) {
      if (delivery.next_attempt_at_ms <= nowMs) this.#inFlight.set(delivery.id, this.#send(delivery));
    }
  }

  async #send(delivery: Delivery): Promise<void> {
    const isTaken = await this.#post(delivery.body);
    this.#inFlight.delete(delivery.id);
    if (this.#closing.signal.aborted) return;
    if (isTaken) markDelivered(this.#db, delivery, Date.now());
    else markFailed(this.#db, delivery, Date.now());
    this.#sendDue();
    this.#alarm.set();
  }

  async #post(text: string): Promise<boolean> {
    const body = Buffer.from(text);
    try {
      const response = await fetch(this.#target.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', DIGEST: sign('RSA-SHA256', body, this.#target.privateKeyPem).toString('base64') },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch (error) {
      // Nobody listening yet is the normal case while the receiver starts: it is tried again.
      this.#log.debug({ reason: error instanceof Error ? error.message : 'unknown' }, 'webhook not delivered');
      return false;
    }
  }
}
