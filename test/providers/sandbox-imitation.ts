import { startSandbox } from '../sandbox/start-sandbox.ts';
import type { RunningSandbox } from '../sandbox/start-sandbox.ts';
import type { Imitation } from './provider-under-test.ts';

/** The product's own sandbox as an imitation; `pay` is what differs between the providers it imitates. */
export async function startSandboxImitation(pay: (sandbox: RunningSandbox, ...args: Parameters<Imitation['pay']>) => ReturnType<Imitation['pay']>): Promise<Imitation> {
  const sandbox = await startSandbox();
  return {
    url: sandbox.url,
    pay: (amountMinor, credential) => pay(sandbox, amountMinor, credential),
    async arm(fault) {
      const { status, body } = await sandbox.call('POST', '/sandbox/faults', fault);
      if (status !== 200) throw new Error(`the fault was not armed: ${JSON.stringify(body)}`);
    },
    async armedFaults() {
      return ((await sandbox.call('GET', '/sandbox/faults')).body.data as unknown[]).length;
    },
    async journal(chargeId) {
      return (await sandbox.journal(`?charge_id=${encodeURIComponent(chargeId)}`)) as Awaited<ReturnType<Imitation['journal']>>;
    },
  };
}
