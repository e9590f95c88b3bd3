import { expect, it } from 'vitest';

import { migrate } from '../../src/store/database.ts';
import { readMerchant, saveMerchant, UnknownMerchantError } from '../../src/store/merchants.ts';
import { borrowEmbedded } from './embedded-databases.ts';

const MERCHANT = { merchantId: 'mer_1', name: 'Tienda', provider: 'acme' };

it('should lend each database to one borrower at a time, empty, and refuse queries of those who gave it back', async () => {
  const [one, other] = [await borrowEmbedded(), await borrowEmbedded()];
  await migrate(one);
  await migrate(other);
  await saveMerchant(one, MERCHANT);
  await expect(readMerchant(other, 'mer_1')).rejects.toThrow(UnknownMerchantError);

  await one.destroy();
  await expect(readMerchant(one, 'mer_1')).rejects.toThrow('destroyed');
  const again = await borrowEmbedded();
  await one.destroy();
  expect(await migrate(again)).not.toEqual([]);
  await expect(readMerchant(again, 'mer_1')).rejects.toThrow(UnknownMerchantError);
  await Promise.all([again.destroy(), other.destroy()]);
});
