import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Database } from '../store/database.ts';
import { providerOf, saveApiKey, saveMerchant, SCOPES } from '../store/merchants.ts';
import type { Scope } from '../store/merchants.ts';
import { requireDatabaseUrl } from './api.ts';
import { openRecords } from './open-process.ts';

/** `reintegro merchant create <id> <name>`: adds a tenant. */
export async function createMerchantCommand(config: Config, merchantId: string, name: string): Promise<void> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(merchantId)) throw new Error('A merchant id has 1 to 64 letters, digits, dots, underscores or hyphens.');
  await withRecords(config, (db) => saveMerchant(db, { merchantId, name, provider: 'conekta' }));
  console.log(`Merchant ${merchantId} is on record.`);
}

/** `reintegro merchant key <id> --scopes …`: makes an API key and shows it once; only its hash is kept. */
export async function createKeyCommand(config: Config, merchantId: string, scopes: readonly string[]): Promise<void> {
  const unknown = scopes.filter((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown.length > 0) throw new Error(`Unknown scope(s) ${unknown.join(', ')}: choose from ${SCOPES.join(', ')}.`);
  const keyPrefix = `key_${randomBytes(6).toString('hex')}`;
  const key = `${keyPrefix}.${randomBytes(24).toString('base64url')}`;
  await withRecords(config, async (db) => {
    await providerOf(db, merchantId);
    await saveApiKey(db, { keyHash: createHash('sha256').update(key).digest('hex'), keyPrefix, merchantId, scopes: scopes as Scope[] });
  });
  console.log(key);
}

async function withRecords(config: Config, work: (db: Database) => Promise<void>): Promise<void> {
  requireDatabaseUrl(config);
  const db = await openRecords(config);
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
}
