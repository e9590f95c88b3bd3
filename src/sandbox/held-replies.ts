import type { FastifyReply } from 'fastify';

/** How long an answer that never comes keeps its connection open, milliseconds. */
const LONGEST_SILENCE_MS = 60_000;

/** Requests that are left without an answer until the client gives up (PRODUCT X4, `timeout` and `hang`). */
export class HeldReplies {
  readonly #release = new Set<() => void>();

  /** Takes the reply out of the framework's hands and keeps silent. */
  hold(reply: FastifyReply): void {
    reply.hijack();
    const release = (): void => {
      clearTimeout(timer);
      this.#release.delete(release);
      reply.raw.destroy();
    };
    const timer = setTimeout(release, LONGEST_SILENCE_MS);
    this.#release.add(release);
    reply.raw.once('close', release);
  }

  /** Drops all held connections. */
  releaseAll(): void {
    for (const release of this.#release) release();
  }
}
