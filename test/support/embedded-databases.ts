import { sql } from 'kysely';
import type { KyselyPlugin } from 'kysely';

import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';

/** Embedded databases of this process that nobody uses at present. One is started in seconds, and emptied in a tenth of one. */
const idle: Database[] = [];

/**
 * Lends an empty embedded database, without schema, in memory. Whoever borrows has it alone until `destroy`; after that it refuses queries, as one
 * that is closed does.
 */
export async function borrowEmbedded(): Promise<Database> {
  const whole = idle.pop() ?? openDatabase({ kind: 'embedded', dataDir: null });
  await sql`drop schema public cascade`.execute(whole);
  await sql`create schema public`.execute(whole);
  let isGivenBack = false;
  const refusing: KyselyPlugin = {
    transformQuery({ node }) {
      if (isGivenBack) throw new Error('driver has already been destroyed');
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const lent = whole.withPlugin(refusing);
  lent.destroy = async () => {
    if (!isGivenBack) idle.push(whole);
    isGivenBack = true;
  };
  return lent;
}
