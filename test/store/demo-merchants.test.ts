import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { saveDemoMerchants } from '../../src/cli/demo-merchants.ts';
import { findKeyHolder } from '../../src/store/merchants.ts';
import { memoryDatabase } from '../support/database.ts';

const DEMO_KEYS = ['key_demo', 'key_demo_two', 'key_demo_operator', 'key_demo_rail'] as const;

describe('saveDemoMerchants', () => {
  it('should be the only thing that brings the demo keys, each with its own scopes (D2)', async () => {
    const db = await memoryDatabase();
    const holders = async () => Promise.all(DEMO_KEYS.map((key) => findKeyHolder(db, createHash('sha256').update(key).digest('hex'))));
    expect(await holders()).toEqual([null, null, null, null]);
    await saveDemoMerchants(db);
    await saveDemoMerchants(db);
    expect((await holders()).map((holder) => [holder?.merchantId, holder?.scopes])).toEqual([
      ['merchant_demo', ['read', 'refunds', 'payouts']],
      ['merchant_demo_two', ['read', 'refunds', 'payouts']],
      ['merchant_demo', ['read', 'refunds', 'payouts', 'approve', 'operator']],
      ['merchant_demo', ['rail']],
    ]);
    await db.destroy();
  });
});
