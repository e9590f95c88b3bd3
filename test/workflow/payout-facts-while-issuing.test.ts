import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

// The settle delay need not pass: a fact comes before its end.
let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

describe('payoutOrderWorkflow, told something while its reference is looked for', () => {
  it.each(['withdrawal', 'changed'] as const)('should ask the provider about a %s told while the reference was looked for: the look may be answered from the records (P6)', async (fact) => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    // The worker died behind its commit: the reference is on record, and meanwhile it is being collected.
    script.on('issueReference', () => {
      provider.status = 'pending_confirmation';
      return { kind: 'unknown' };
    });
    script.on('findReference', { kind: 'settled', status: 'pending' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'open' } });
      await payout.tell(fact);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(script.calls('issueReference')).toHaveLength(1);
      expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'fact' }]);
    });
  });
});
