import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createPayoutActivities } from '../../activities/payout-activities.ts';
import type { PayoutActivities } from '../../activities/payout-contracts.ts';
import { NotRunningError } from '../../src/client/client-errors.ts';
import { isFinalPayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { createFakeProvider } from '../support/fake-provider.ts';
import type { FakeProvider } from '../support/fake-provider.ts';
import { playPayoutOrder } from './played-workflows.ts';
import { payoutBody } from './start-api.ts';
import type { TestApi } from './start-api.ts';

const MERCHANT = 'm_one';
const silent = (): void => undefined;

/** A payout order that is followed as its Workflow would: each message asks the provider, until the end. */
export interface FollowedPayoutOrder {
  readonly id: string;
  readonly providerId: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** What the provider says of it when it is asked. */
  truth: PayoutOrderStatus;
  /** How often it was asked. */
  asked(): number;
  /** The path on record, the money that moved (minor units), and the open cases, sorted. */
  books(): Promise<{ readonly path: readonly string[]; readonly movedMinor: number; readonly cases: readonly string[] }>;
}

/** Issues a payout order over the API, at a provider of its own. */
export async function followedPayoutOrder(api: TestApi): Promise<FollowedPayoutOrder> {
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order, 'verifying') });
  const { id } = (await api.call('POST', '/payout_orders', payoutBody(), { 'idempotency-key': randomUUID() })).body as { id: string };
  const provider = createFakeProvider([]);
  const activities = payoutActivities(api, provider);
  const key = { merchantId: MERCHANT, payoutOrderId: id, workflowId: `payout:${MERCHANT}:${id}`, runId: 'run' };
  await activities.issueReference({ ...key, sendNumber: 1 });
  const issuedAt = Math.floor(Date.now() / 1000);
  const [there] = provider.payoutOrders;
  if (there === undefined) throw new Error('the provider issued nothing');
  let asked = 0;
  api.client.reset({
    signalPayoutFact: async () => {
      const record = await readPayoutOrder(api.db, MERCHANT, id);
      if (record === null || isFinalPayoutOrderStatus(record.status)) throw new NotRunningError('it is over');
      asked += 1;
      await activities.followPayoutOrder({ ...key, cause: 'fact', actor: 'webhook' });
    },
  });
  return {
    id, providerId: there.providerPayoutOrderId, issuedAt, asked: () => asked, books: () => readBooks(api, id),
    get truth() { return there.status; },
    set truth(status) { there.status = status; },
  };
}

/** The Activities of a worker whose only provider is this one. */
function payoutActivities(api: TestApi, { adapter }: FakeProvider) {
  const environment = new MockActivityEnvironment({}, { logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent } });
  const entry = { adapter: { ...adapter, name: 'conekta' }, settleDelayMs: 1000, maxSends: 3, timeoutMs: 1000, confirmationWindowMs: 180_000, pollMs: null };
  const activities = createPayoutActivities({ db: api.db, providers: createProviderRegistry([entry], { [MERCHANT]: { conekta: 'secret' } }) });
  return {
    issueReference: (input: Parameters<PayoutActivities['issueReference']>[0]) => environment.run((one: typeof input) => activities.issueReference(one), input),
    followPayoutOrder: (input: Parameters<PayoutActivities['followPayoutOrder']>[0]) => environment.run((one: typeof input) => activities.followPayoutOrder(one), input),
  };
}

async function readBooks({ db }: TestApi, id: string) {
  const [steps, moved, cases] = await Promise.all([
    db.selectFrom('transitions').select(['from_status', 'to_status']).where('subject', '=', 'payout_order').where('subject_id', '=', id).orderBy('transition_id').execute(),
    db.selectFrom('money_movements').select('amount_minor').where('merchant_id', '=', MERCHANT).where('payout_order_id', '=', id).execute(),
    db.selectFrom('cases').select('kind').where('merchant_id', '=', MERCHANT).where('payout_order_id', '=', id).where('status', '=', 'open').execute(),
  ]);
  return { path: steps.map(({ to_status: to }) => to), movedMinor: moved.reduce((sum, { amount_minor: amount }) => sum + amount, 0), cases: cases.map(({ kind }) => kind).toSorted() };
}
