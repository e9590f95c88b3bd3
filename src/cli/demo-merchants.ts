import { createHash } from 'node:crypto';
import type { Database } from '../store/database.ts';
import { saveApiKey, saveMerchant } from '../store/merchants.ts';
import type { Scope } from '../store/merchants.ts';

const DEMO_MERCHANTS = [
  { merchantId: 'merchant_demo', name: 'Demo' },
  { merchantId: 'merchant_demo_two', name: 'Demo two' },
] as const;

const MERCHANT_SCOPES: readonly Scope[] = ['read', 'refunds', 'payouts'];

/** The demo keys of D2; only the embedded mode has them. */
const DEMO_KEYS: readonly { readonly key: string; readonly merchantId: string; readonly scopes: readonly Scope[] }[] = [
  { key: 'key_demo', merchantId: 'merchant_demo', scopes: MERCHANT_SCOPES },
  { key: 'key_demo_two', merchantId: 'merchant_demo_two', scopes: MERCHANT_SCOPES },
  { key: 'key_demo_operator', merchantId: 'merchant_demo', scopes: [...MERCHANT_SCOPES, 'approve', 'operator'] },
  { key: 'key_demo_rail', merchantId: 'merchant_demo', scopes: ['rail'] },
];

/** What the demo merchants are known by at the sandbox, by merchant and provider. */
export const DEMO_CREDENTIALS = {
  merchant_demo: { conekta: 'key_sandbox_demo', gateway: 'key_sandbox_demo' }, merchant_demo_two: { conekta: 'key_sandbox_demo_two', gateway: 'key_sandbox_demo_two' },
} as const;

/** Writes the demo merchants and keys down (D2). */
export async function saveDemoMerchants(db: Database): Promise<void> {
  for (const merchant of DEMO_MERCHANTS) await saveMerchant(db, { ...merchant, provider: 'conekta' });
  for (const { key, merchantId, scopes } of DEMO_KEYS) await saveApiKey(db, { keyHash: createHash('sha256').update(key).digest('hex'), keyPrefix: key, merchantId, scopes });
}
