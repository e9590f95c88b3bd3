import type { FastifyReply } from 'fastify';
import { languageOf, renderError } from './conekta-error.ts';
import { CONEKTA, type Dialect } from './dialect.ts';
import type { Outcome } from './fault-call.ts';
import type { HeldReplies } from './held-replies.ts';

/**
 * Answers a call the way its outcome travels: well, half, not at all, or with a reset.
 * @throws ConektaError for a refusal that travels well; the error handler renders it.
 */
export function sendOutcome(reply: FastifyReply, held: HeldReplies, { delivery, result }: Outcome, dialect: Dialect = CONEKTA): FastifyReply {
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
      const text = dialect.write('refusal' in result ? renderError(result.refusal.content, language, Date.now(), dialect) : result.body);
      return reply.status(status).type(dialect.mediaType).send(text.slice(0, Math.floor(text.length / 2)));
    }
    case 'plain':
      if ('refusal' in result) throw result.refusal;
      return reply.type(dialect.mediaType).send(dialect.write(result.body));
  }
}
