import { Agent, request } from 'undici';

/** What a bare Workflow works on: a refund in name only. */
export interface BareRequest {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
}

/** What its Activity answers. */
export interface BareOutcome {
  readonly id: string;
  readonly status: string;
}

/** The Activities of the bare Workflows: no records, no protection, nothing that a refund needs. */
export interface BareActivities {
  doNothing(work: BareRequest): Promise<BareOutcome>;
  /** One POST to a provider. */
  callProvider(work: BareRequest): Promise<BareOutcome>;
}

/** Makes them; the connections are kept alive like those of the product's adapters. */
export function createBareActivities(providerUrl: string): BareActivities {
  const dispatcher = new Agent({ allowH2: false, pipelining: 1 });
  return {
    doNothing: async ({ id }) => ({ id, status: 'succeeded' }),
    async callProvider(work) {
      const { statusCode, body } = await request(providerUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(work), dispatcher });
      if (statusCode !== 200) throw new Error(`the provider answers ${statusCode}`);
      return await body.json() as BareOutcome;
    },
  };
}
