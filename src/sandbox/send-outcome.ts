import type { FastifyReply } from 'fastify';
import { languageOf, renderError } from './conekta-error.ts';
import type { Outcome } from './fault-call.ts';
import type { HeldReplies } from './held-replies.ts';

/** Conekta's media type (CONTRACT §1). */
export const CONEKTA_MEDIA_TYPE = 'application/vnd.conekta-v2.3.0+json';

/**
 * Answers a call the way its outcome travels: well, half, not at all, or with a reset.
 * @throws ConektaError for a refusal that travels well; the error handler renders it.
 */
export function sendOutcome(reply: FastifyReply, held: HeldReplies, { delivery, result }: Outcome): FastifyReply {
  switch (delivery) {
    case 'silence':
      held.hold(reply);
      return reply;
    case 'reset':
      reply.hijack();
      // A FIN would be a clean end; the fault is a RST.
      reply.raw.socket?.resetAndDestroy();
      return reply;
    case 'truncated': {
      const language = languageOf(reply.request.headers['accept-language']);
      const status = 'refusal' in result ? result.refusal.content.status : 200;
      const text = JSON.stringify('refusal' in result ? renderError(result.refusal.content, language, Date.now()) : result.body);
      return reply.status(status).type(CONEKTA_MEDIA_TYPE).send(text.slice(0, Math.floor(text.length / 2)));
    }
    case 'plain':
      if ('refusal' in result) throw result.refusal;
      return reply.type(CONEKTA_MEDIA_TYPE).send(result.body);
  }
}
