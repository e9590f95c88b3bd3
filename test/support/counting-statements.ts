import type { KyselyPlugin } from 'kysely';

/** Counts the statements that pass it. */
export interface StatementCounter extends KyselyPlugin {
  /** How many since the last time it was asked. */
  taken(): number;
}

/** Counts the statements that pass it, each a round trip; the begin and the end of a transaction do not. */
export function countingStatements(): StatementCounter {
  let statements = 0;
  return {
    // A part of a statement passes here, too; what is answered is one.
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      statements += 1;
      return result;
    },
    taken: () => {
      const taken = statements;
      statements = 0;
      return taken;
    },
  };
}
