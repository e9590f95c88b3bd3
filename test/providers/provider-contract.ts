import { describe } from 'vitest';
import type { ProviderUnderTest } from './provider-under-test.ts';
import { describeCapability } from './suites/capability.ts';
import { describeFailures } from './suites/failures.ts';
import { describeFaults } from './suites/faults.ts';
import { describeReads } from './suites/reads.ts';
import { describeRefunds } from './suites/refunds.ts';

/** The contract every adapter must keep, told against the port: `npm run test:provider -- <name>`. */
export function describeProvider(provider: ProviderUnderTest): void {
  describe(`the adapter of ${provider.name}`, () => {
    describeReads(provider);
    describeRefunds(provider);
    describeCapability(provider);
    describeFaults(provider);
    describeFailures(provider);
  });
}
