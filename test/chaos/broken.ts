import type { Violation } from '../e2e/fault-verdict.ts';

/** A broken promise: which, of what, and how it shows. I6 to I8 are of the run as a whole. */
export interface Broken {
  readonly rule: Violation['rule'] | 'I6' | 'I7' | 'I8' | 'case' | 'told';
  readonly subject: string;
  readonly what: string;
}

/** After how many sends of unknown outcome a human is asked (S4): the product's default. */
export const MAX_SENDS = 3;
