import type { Database } from '../../src/store/database.ts';

/** A handle on the database whose transactions are run by the test; everything else is the database's own. */
export function withTransactions(db: Database, execute: (work: (tx: never) => Promise<unknown>) => Promise<unknown>): Database {
  return new Proxy(db, {
    get: (target, name) => {
      if (name === 'transaction') return () => ({ execute });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
