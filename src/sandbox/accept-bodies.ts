import type { FastifyInstance } from 'fastify';
import { parseExactJson } from '../domain/decimal.ts';
import { malformedRequest } from './conekta-refusals.ts';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

/** Reads JSON. Body-less requests come with any content type, and must not fail for it (CONTRACT §1). */
export function acceptBodies(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(JSON_TYPE, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  refuseOthers(scope);
}

/** Like {@link acceptBodies}, with every number as it was written (seed 003). */
export function acceptExactBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(JSON_TYPE, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : parseExactJson(body as string));
    } catch {
      done(malformedRequest(400), undefined);
    }
  });
  refuseOthers(scope);
}

function refuseOthers(scope: FastifyInstance): void {
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, undefined);
    else done(malformedRequest(415), undefined);
  });
}
