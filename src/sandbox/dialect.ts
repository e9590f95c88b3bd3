import { writeExactJson } from './exact-json.ts';

/** How one of the imitated providers speaks, where they differ. */
export interface Dialect {
  /** Content type of its answers. */
  readonly mediaType: string;
  /** What its error codes begin with. */
  readonly codePrefix: string;
  /** Writes an answer. */
  readonly write: (body: unknown) => string;
}

/** Conekta's (CONTRACT §1, §6): amounts are integers. */
export const CONEKTA: Dialect = { mediaType: 'application/vnd.conekta-v2.3.0+json', codePrefix: 'conekta.errors.', write: JSON.stringify };

/** The gateway's (seed 003): amounts are numbers with two places. */
export const GATEWAY: Dialect = { mediaType: 'application/json; charset=utf-8', codePrefix: 'gateway.errors.', write: writeExactJson };
